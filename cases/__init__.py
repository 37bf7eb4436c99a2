"""The shell around the core: lock, decide, and write state, audit and messages in one transaction."""
