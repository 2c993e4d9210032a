"""What Alembic runs for every command: our connection, our tables. Not imported by anything of ours."""

from __future__ import annotations

from alembic import context

from prearchive.db.models import Base

context.configure(
    connection=context.config.attributes["connection"],  # set by `migrations`
    target_metadata=Base.metadata,
    render_as_batch=True,  # SQLite cannot change a column in place
    compare_type=True,
)
with context.begin_transaction():
    context.run_migrations()
