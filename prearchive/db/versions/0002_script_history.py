"""The history of scripts: which text was in force under which name, since when, by whom and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    table = op.create_table(
        "script_change",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("version", sa.Integer(), nullable=True),
        sa.Column("script_id", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=16), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["script_id"], ["script_version.id"], name=op.f("fk_script_change_script_id_script_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_change")),
    )
    op.create_index("uq_script_change_name_version", "script_change", ["name", "version"], unique=True)
    _number_what_ran(table)


def _number_what_ran(table: sa.Table) -> None:
    """Give the texts that ran so far their numbers, in the order in which they first did."""
    ran = sa.table(
        "script_version",
        sa.column("id", sa.Integer),
        sa.column("name", sa.String),
        sa.column("first_used_at", sa.DateTime(timezone=True)),
    )
    connection = op.get_bind()
    count: dict[str, int] = {}
    for row in connection.execute(sa.select(ran).order_by(ran.c.first_used_at, ran.c.id)).all():
        count[row.name] = count.get(row.name, 0) + 1
        connection.execute(
            table.insert().values(
                name=row.name,
                version=count[row.name],
                script_id=row.id,
                at=row.first_used_at,
                who="unknown",
                action="ran",
                why="it ran before histories were kept",
            )
        )
