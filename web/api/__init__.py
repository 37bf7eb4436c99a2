"""/api/v1: the same cases, members, campaigns and messages as on the desk, for programs."""
