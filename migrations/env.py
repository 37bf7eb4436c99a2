"""Run by Alembic: apply revisions on the connection that ``migrations.upgrade`` hands over."""

from importlib import import_module

from alembic import context

from config.database import metadata

for folder in ("config", "members", "notifications", "cases", "web"):
    import_module(f"{folder}.tables")  # adds its tables to the metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
