"""Public keys outlive their account where an encrypted team needs them to check what it made.

Revision ID: 0019
Revises: 0018
"""

from __future__ import annotations

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("public_keys_account_id_fkey", "public_keys", type_="foreignkey")


def downgrade() -> None:
    raise RuntimeError("teams may be encrypted since 0018: restore a backup instead")
