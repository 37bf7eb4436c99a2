"""Run by Alembic: apply revisions on the connection that ``migrations.upgrade`` hands over."""

from alembic import context

import notifications.tables  # noqa: F401  each import adds its tables to the metadata
from config.database import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, compare_type=True)
with context.begin_transaction():
    context.run_migrations()
