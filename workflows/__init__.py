"""Prefect flows and their schedules: they say when, the database says what."""
