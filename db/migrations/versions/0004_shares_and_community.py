"""Sessions shared with teams, tags and notes of sessions, and the community's own scope."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The first revision forgot this constraint; whoever has added it since has the narrow one.
    op.execute("ALTER TABLE scopes DROP CONSTRAINT IF EXISTS scopes_kind_check")
    op.create_check_constraint(
        op.f("scopes_kind_check"), "scopes", "kind IN ('person', 'team', 'community')"
    )
    op.execute(
        "INSERT INTO scopes (id, kind, name, owner_id) VALUES "
        "('c0000000-0000-4000-8000-000000000000', 'community', 'Community',"
        " '00000000-0000-0000-0000-000000000000')"
    )
    _sessions()
    _patterns()


def _sessions() -> None:
    op.add_column(
        "sessions",
        sa.Column(
            "tags", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.add_column("sessions", sa.Column("notes", sa.Text(), nullable=True))
    op.create_table(
        "session_shares",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("shown", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.Column("shared_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"],
            ["scopes.id"],
            name=op.f("session_shares_scope_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scope_id", "id", name=op.f("session_shares_pkey")),
    )
    op.create_index("session_shares_newest_idx", "session_shares", ["scope_id", "shared_at", "id"])
    op.create_index("session_shares_session_idx", "session_shares", ["owner_id", "session"])
    op.create_index(
        "session_shares_expiry_idx",
        "session_shares",
        ["expires_at"],
        postgresql_where=sa.text("deleted_at IS NULL AND expires_at IS NOT NULL"),
    )
    op.create_index(
        "session_shares_one_idx",
        "session_shares",
        ["scope_id", "session"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def _patterns() -> None:
    op.add_column(
        "patterns",
        sa.Column(
            "grams", postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
    )
    op.create_index("patterns_grams_idx", "patterns", ["grams"], postgresql_using="gin")
    op.add_column(
        "contributions", sa.Column("counts_from", sa.DateTime(timezone=True), nullable=True)
    )
    op.create_index(
        "contributions_counts_from_idx",
        "contributions",
        ["counts_from"],
        postgresql_where=sa.text("counts_from IS NOT NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("sessions may have been shared since: restore a backup instead")
