"""Row-level security asks whether a row is one's own before it asks whether it is shared.

PostgreSQL tries the policies of a table in the order of their names, the last one first, until one
lets the row through. What is shared takes a look into other tables: for each list of sessions all
shares that the caller can see were gathered, although the sessions were the caller's own.

Revision ID: 0023
Revises: 0022
"""

from __future__ import annotations

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

TABLES = ("accounts", "log", "messages", "public_keys", "scopes", "sessions")


def upgrade() -> None:
    _rename("readable", "also_readable")


def downgrade() -> None:
    _rename("also_readable", "readable")


def _rename(old: str, new: str) -> None:
    for table in TABLES:
        op.execute(f"ALTER POLICY {old} ON {table} RENAME TO {new}")
