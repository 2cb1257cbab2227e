"""The community's published numbers are drawn with noise; the exact ones are kept no longer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _patterns()
    _contributions()
    op.create_table(
        "privacy_ledger",
        sa.Column("epoch", sa.DateTime(timezone=True), nullable=False),
        sa.Column("epsilon", sa.Numeric(), nullable=False),
        sa.Column("spent", sa.Numeric(), nullable=False),
        sa.Column("budget", sa.Numeric(), nullable=False),
        sa.Column("contributors", sa.BigInteger(), nullable=False),
        sa.Column("margin", sa.BigInteger(), nullable=False),
        sa.Column(
            "drawn_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.CheckConstraint("epsilon > 0", name=op.f("privacy_ledger_epsilon_check")),
        sa.CheckConstraint("spent <= budget", name=op.f("privacy_ledger_budget_check")),
        sa.PrimaryKeyConstraint("epoch", name=op.f("privacy_ledger_pkey")),
    )


def _patterns() -> None:
    op.drop_column("patterns", "independent")
    op.drop_column("patterns", "effectiveness")
    op.add_column(
        "patterns",
        sa.Column("rated", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("patterns", sa.Column("reach", sa.BigInteger(), nullable=True))
    op.add_column("patterns", sa.Column("effectiveness", sa.Double(), nullable=True))
    op.add_column("patterns", sa.Column("numbers_from", sa.DateTime(timezone=True), nullable=True))


def _contributions() -> None:
    # Whose the older ones are is known to nobody, so that none of them can be counted within
    # the bound; they count from the next time on that their contributors send them.
    op.add_column(
        "contributions",
        sa.Column("counted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.add_column("contributions", sa.Column("category", sa.Text(), nullable=True))
    op.add_column("contributions", sa.Column("approach", sa.Text(), nullable=True))
    op.add_column(
        "contributors",
        sa.Column("counted", sa.Integer(), server_default=sa.text("0"), nullable=False),
    )
    op.create_check_constraint(
        op.f("contributors_counted_check"), "contributors", "counted BETWEEN 0 AND 4"
    )


def downgrade() -> None:
    raise RuntimeError("the exact numbers are gone: restore a backup instead")
