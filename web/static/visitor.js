// What makes the members' own pages quick where scripts run.
