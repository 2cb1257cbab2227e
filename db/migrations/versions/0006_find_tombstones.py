"""Find tombstones without reading the living rows beside them, for pruning."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = ("knowledge", "summaries", "sessions")


def upgrade() -> None:
    for table in TABLES:
        op.create_index(
            f"{table}_tombstones_idx",
            table,
            ["scope_id", "version"],
            postgresql_where=sa.text("deleted_at IS NOT NULL"),
        )


def downgrade() -> None:
    for table in TABLES:
        op.drop_index(f"{table}_tombstones_idx", table_name=table)
