"""Scopes and origins of API keys, roles of invitations, and the audit log."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEEP = """
CREATE FUNCTION teamlore_keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
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
    op.add_column(
        "api_keys",
        sa.Column(
            "scopes",
            postgresql.ARRAY(sa.Text()),
            server_default=sa.text("'{read,write,sync,admin}'"),
            nullable=False,
        ),
    )
    op.add_column("api_keys", sa.Column("expires_at", sa.DateTime(timezone=True)))
    op.add_column("api_keys", sa.Column("last_address", sa.Text()))
    op.add_column("api_keys", sa.Column("last_program", sa.Text()))
    op.add_column(
        "invitations",
        sa.Column("role", sa.Text(), server_default=sa.text("'member'"), nullable=False),
    )
    op.create_check_constraint(
        op.f("invitations_role_check"), "invitations", "role IN ('admin', 'member', 'viewer')"
    )
    op.create_index("invitations_email_key_idx", "invitations", ["email_key"])
    op.create_table(
        "audit",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column(
            "at",
            sa.DateTime(timezone=True),
            server_default=sa.text("clock_timestamp()"),
            nullable=False,
        ),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=True),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("key_id", sa.Uuid(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("user_agent", sa.Text(), nullable=True),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("audit_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["scopes.id"], name=op.f("audit_team_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("audit_pkey")),
    )
    op.create_index("audit_account_idx", "audit", ["account_id", "at", "id"])
    op.create_index("audit_actor_idx", "audit", ["actor_id", "at", "id"])
    op.create_index("audit_team_idx", "audit", ["team_id", "at", "id"])
    op.execute(KEEP)
    op.execute(
        "CREATE TRIGGER audit_keep BEFORE UPDATE OR DELETE ON audit "
        "FOR EACH ROW EXECUTE FUNCTION teamlore_keep_audit()"
    )
    op.execute(
        "CREATE TRIGGER audit_keep_all BEFORE TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION teamlore_keep_audit()"
    )


def downgrade() -> None:
    op.drop_table("audit")
    op.execute("DROP FUNCTION teamlore_keep_audit()")
    op.drop_index("invitations_email_key_idx", "invitations")
    op.drop_column("invitations", "role")
    for column in ("last_program", "last_address", "expires_at", "scopes"):
        op.drop_column("api_keys", column)
