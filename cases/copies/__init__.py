"""Copies of an installation: backups, bringing one back, and moving the database to another server."""
