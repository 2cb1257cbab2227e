"""The repository of a session, which is the same on all machines.

Revision ID: 0016
Revises: 0015
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("sessions", sa.Column("git_remote", sa.Text()))


def downgrade() -> None:
    op.drop_column("sessions", "git_remote")
