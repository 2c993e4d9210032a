"""The first schema: sessions, scans, instances, who sent them, scripts, history."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "association",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("association_id", sa.String(length=32), nullable=False),
        sa.Column("calling_ae_title", sa.String(length=16), nullable=False),
        sa.Column("called_ae_title", sa.String(length=16), nullable=False),
        sa.Column("peer", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_association")),
        sa.UniqueConstraint("association_id", name=op.f("uq_association_association_id")),
    )
    op.create_table(
        "script_version",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("script_text", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_script_version")),
        sa.UniqueConstraint("sha256", name=op.f("uq_script_version_sha256")),
    )
    op.create_table(
        "server",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("owner", sa.String(length=64), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("heartbeat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("receivers", sa.JSON(), nullable=False),
        sa.Column("scripts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_server")),
        sa.UniqueConstraint("owner", name=op.f("uq_server_owner")),
    )
    op.create_index("ix_server_heartbeat_at", "server", ["heartbeat_at"], unique=False)
    op.create_table(
        "session",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("project", sa.String(length=64), nullable=True),
        sa.Column("subject", sa.String(length=64), nullable=True),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("timestamp", sa.String(length=18), nullable=False),
        sa.Column("folder", sa.String(length=80), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("study_uid", sa.String(length=64), nullable=True),
        sa.Column("study_key", sa.String(length=32), nullable=False),
        sa.Column("open_key", sa.String(length=120), nullable=True),
        sa.Column("archived_key", sa.String(length=140), nullable=True),
        sa.Column("waits_for_id", sa.Integer(), nullable=True),
        sa.Column("merged_into_id", sa.Integer(), nullable=True),
        sa.Column("session_type", sa.String(length=40), nullable=True),
        sa.Column("modality_label", sa.String(length=16), nullable=True),
        sa.Column("scan_date", sa.String(length=10), nullable=True),
        sa.Column("scan_time", sa.String(length=8), nullable=True),
        sa.Column("uploaded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("modified_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("quiet_seconds", sa.Integer(), nullable=False),
        sa.Column("instance_count", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("anonymize", sa.Boolean(), nullable=False),
        sa.Column("auto_archive", sa.String(length=9), nullable=True),
        sa.Column("subject_source", sa.String(length=16), nullable=False),
        sa.Column("label_source", sa.String(length=16), nullable=False),
        sa.Column("pinned", sa.Boolean(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("confirmed_by", sa.String(length=128), nullable=True),
        sa.Column("lease_owner", sa.String(length=64), nullable=True),
        sa.Column("lease_expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("work", sa.JSON(), nullable=True),
        sa.Column("deleted_from", sa.JSON(), nullable=True),
        sa.ForeignKeyConstraint(
            ["merged_into_id"], ["session.id"], name=op.f("fk_session_merged_into_id_session")
        ),
        sa.ForeignKeyConstraint(
            ["waits_for_id"], ["session.id"], name=op.f("fk_session_waits_for_id_session")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session")),
        sa.UniqueConstraint("archived_key", name=op.f("uq_session_archived_key")),
        sa.UniqueConstraint("open_key", name=op.f("uq_session_open_key")),
    )
    op.create_index("ix_session_project_label", "session", ["project", "label"], unique=False)
    op.create_index("ix_session_state_uploaded_at", "session", ["state", "uploaded_at"], unique=False)
    op.create_index("ix_session_study_key", "session", ["study_key"], unique=False)
    op.create_index("ix_session_study_uid", "session", ["study_uid"], unique=False)
    op.create_index("ix_session_waits_for_id", "session", ["waits_for_id"], unique=False)
    op.create_table(
        "discarded_instance",
        sa.Column("id", BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=True),
        sa.Column("outcome", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=64), nullable=False),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("association_id", sa.Integer(), nullable=True),
        sa.Column("received_sop_key", sa.String(length=32), nullable=True),
        sa.Column("study_key", sa.String(length=32), nullable=True),
        sa.Column("hashed_sop_instance_uid", sa.String(length=64), nullable=True),
        sa.Column("received_digest", sa.String(length=64), nullable=True),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("script_id", sa.Integer(), nullable=True),
        sa.Column("script_line", sa.Integer(), nullable=True),
        sa.Column("script_column", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["association_id"],
            ["association.id"],
            name=op.f("fk_discarded_instance_association_id_association"),
        ),
        sa.ForeignKeyConstraint(
            ["script_id"], ["script_version.id"], name=op.f("fk_discarded_instance_script_id_script_version")
        ),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_discarded_instance_session_id_session"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discarded_instance")),
    )
    op.create_index("ix_discarded_instance_at", "discarded_instance", ["at"], unique=False)
    op.create_index("ix_discarded_instance_session_id", "discarded_instance", ["session_id"], unique=False)
    op.create_index("ix_discarded_instance_study_key", "discarded_instance", ["study_key"], unique=False)
    op.create_table(
        "scan",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("series_uid", sa.String(length=64), nullable=True),
        sa.Column("series_key", sa.String(length=32), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=True),
        sa.Column("scan_type", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_scan_session_id_session"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_scan")),
    )
    op.create_index("uq_scan_session_id_label", "scan", ["session_id", "label"], unique=True)
    op.create_index("uq_scan_session_id_series_key", "scan", ["session_id", "series_key"], unique=True)
    op.create_table(
        "session_event",
        sa.Column("id", BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=128), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("from_state", sa.String(length=16), nullable=True),
        sa.Column("to_state", sa.String(length=16), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_session_event_session_id_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_event")),
    )
    op.create_index("ix_session_event_session_id", "session_event", ["session_id"], unique=False)
    op.create_table(
        "session_warning",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["session_id"],
            ["session.id"],
            name=op.f("fk_session_warning_session_id_session"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_session_warning")),
    )
    op.create_index(
        "uq_session_warning_session_id_code_text",
        "session_warning",
        ["session_id", "code", "text"],
        unique=True,
    )
    op.create_table(
        "instance",
        sa.Column("id", BIG_KEY, autoincrement=True, nullable=False),
        sa.Column("session_id", sa.Integer(), nullable=False),
        sa.Column("scan_id", sa.Integer(), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", sa.String(length=16), nullable=True),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("file_name", sa.String(length=255), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.String(length=80), nullable=False),
        sa.Column("received_sop_key", sa.String(length=32), nullable=False),
        sa.Column("received_digest", sa.String(length=64), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("association_id", sa.Integer(), nullable=True),
        sa.Column("site_script_id", sa.Integer(), nullable=True),
        sa.Column("project_script_id", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["association_id"], ["association.id"], name=op.f("fk_instance_association_id_association")
        ),
        sa.ForeignKeyConstraint(
            ["project_script_id"],
            ["script_version.id"],
            name=op.f("fk_instance_project_script_id_script_version"),
        ),
        sa.ForeignKeyConstraint(
            ["scan_id"], ["scan.id"], name=op.f("fk_instance_scan_id_scan"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["session.id"], name=op.f("fk_instance_session_id_session"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["site_script_id"], ["script_version.id"], name=op.f("fk_instance_site_script_id_script_version")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_instance")),
    )
    op.create_index("ix_instance_scan_id", "instance", ["scan_id"], unique=False)
    op.create_index(
        "ix_instance_session_id_received_sop_key",
        "instance",
        ["session_id", "received_sop_key"],
        unique=False,
    )
    op.create_index("ix_instance_sop_instance_uid", "instance", ["sop_instance_uid"], unique=False)
    op.create_index("uq_instance_scan_id_file_name", "instance", ["scan_id", "file_name"], unique=True)
