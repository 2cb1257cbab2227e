"""Further files of a session, and what the collector of unused blocks has to remember.

Revision ID: 0008
Revises: 0006
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "conversation_versions",
        sa.Column("path", sa.Text(), server_default=sa.text("''"), nullable=False),
    )
    op.drop_constraint("conversation_versions_pkey", "conversation_versions", type_="primary")
    op.create_primary_key(
        "conversation_versions_pkey",
        "conversation_versions",
        ["scope_id", "session", "path", "number"],
    )
    op.create_table(
        "sweeps",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("sweeps_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", name=op.f("sweeps_pkey")),
    )


def downgrade() -> None:
    op.drop_table("sweeps")
    op.execute("DELETE FROM conversation_versions WHERE path <> ''")
    op.drop_constraint("conversation_versions_pkey", "conversation_versions", type_="primary")
    op.create_primary_key(
        "conversation_versions_pkey", "conversation_versions", ["scope_id", "session", "number"]
    )
    op.drop_column("conversation_versions", "path")
