"""The `muster` command: it translates a command line into one call."""
