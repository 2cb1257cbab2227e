"""Accounts that can be erased, links in mails, and budgets that all servers share.

Revision ID: 0010
Revises: 0008
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

KEEP = """
CREATE OR REPLACE FUNCTION teamlore_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What a foreign key deletes comes from inside another trigger: a team that goes.
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    -- Whoever erases an account, or prunes, says so for the length of its transaction.
    IF TG_OP <> 'TRUNCATE' AND current_setting('teamlore.audit_door', true) = 'open' THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END
$$
"""
FORMER = """
CREATE OR REPLACE FUNCTION teamlore_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- What a foreign key deletes comes from inside another trigger: an account that goes.
    IF TG_OP = 'DELETE' AND pg_trigger_depth() > 1 THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION 'the audit log is append-only' USING ERRCODE = 'restrict_violation';
END
$$
"""


def upgrade() -> None:
    op.add_column("accounts", sa.Column("email_verified_at", sa.DateTime(timezone=True)))
    op.create_table(
        "mail_tokens",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "purpose IN ('verify_email', 'reset_password')",
            name=op.f("mail_tokens_purpose_check"),
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("mail_tokens_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("mail_tokens_pkey")),
    )
    op.create_index("mail_tokens_digest_idx", "mail_tokens", ["digest"])
    op.create_table(
        "budgets",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("budgets_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "login_attempts",
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("ends", sa.DateTime(timezone=True), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("strikes", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("known_until", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("key", name=op.f("login_attempts_pkey")),
        prefixes=["UNLOGGED"],
    )
    op.drop_constraint("audit_account_id_fkey", "audit", type_="foreignkey")
    op.create_index("audit_at_idx", "audit", ["at"])
    op.execute(KEEP)


def downgrade() -> None:
    op.execute("SET LOCAL teamlore.audit_door = 'open'")
    op.execute(
        "DELETE FROM audit WHERE account_id IS NOT NULL AND account_id NOT IN "
        "(SELECT id FROM accounts)"
    )
    op.execute(FORMER)
    op.drop_index("audit_at_idx", "audit")
    op.create_foreign_key(
        "audit_account_id_fkey", "audit", "accounts", ["account_id"], ["id"], ondelete="CASCADE"
    )
    op.drop_table("login_attempts")
    op.drop_table("budgets")
    op.drop_table("mail_tokens")
    op.drop_column("accounts", "email_verified_at")
