"""Who looked at what is restricted: noted where it is read, written before it is shown, kept for who asks later."""
