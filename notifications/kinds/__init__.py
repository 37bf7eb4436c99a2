"""The kinds of message, one file per process."""
