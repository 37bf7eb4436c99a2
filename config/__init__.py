"""Settings, the database, the clock, logging and the policy: what every other folder stands on."""
