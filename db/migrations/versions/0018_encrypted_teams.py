"""End-to-end encryption of teams: public keys, key epochs, wrapped keys, sealed entries.

Revision ID: 0018
Revises: 0016
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0016"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
SCOPED = ("encryptions", "key_epochs", "wrapped_keys", "sealed_entries")
PLAINTEXT = ("knowledge", "summaries", "session_shares")

REFUSE = """
CREATE FUNCTION teamlore_refuse_plaintext() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT FROM written w JOIN encryptions e ON e.scope_id = w.scope_id
        WHERE w.deleted_at IS NULL
    ) THEN
        RAISE EXCEPTION 'an encrypted team takes no plaintext' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NULL;
END
$$
"""
# Whoever leaves no longer has a claim to the team when the trigger runs; see 0015.
ROTATE = """
CREATE FUNCTION teamlore_rotation_due() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    claimed text := coalesce(current_setting('teamlore.system', true), '');
BEGIN
    PERFORM set_config('teamlore.system', 'rotation of a team key', true);
    UPDATE encryptions SET rotation_due = true WHERE scope_id = OLD.scope_id;
    PERFORM set_config('teamlore.system', claimed, true);
    RETURN NULL;
END
$$
"""
SYSTEM = "(SELECT teamlore_system())"
ME = "(SELECT teamlore_account())"
MINE = "ANY ((SELECT teamlore_scopes())::uuid[])"
KNOWN = """
EXISTS (SELECT FROM memberships m WHERE m.account_id = public_keys.account_id)
OR EXISTS (SELECT FROM key_epochs e WHERE e.created_by = public_keys.account_id)
OR EXISTS (SELECT FROM sealed_entries s WHERE s.author_id = public_keys.account_id)
"""
"""Whose keys may be read; each of these tables shows only what the reader's scopes have."""


def upgrade() -> None:
    _public_keys()
    _epochs()
    _wrapped_keys()
    _sealed_entries()
    _protect()
    op.execute(REFUSE)
    for table in PLAINTEXT:
        for event in ("insert", "update"):
            op.execute(
                f"CREATE TRIGGER {table}_refuse_plaintext_{event} AFTER {event} ON {table} "
                "REFERENCING NEW TABLE AS written FOR EACH STATEMENT "
                "EXECUTE FUNCTION teamlore_refuse_plaintext()"
            )
    op.execute(ROTATE)
    op.execute(
        "CREATE TRIGGER memberships_rotation_due AFTER DELETE ON memberships "
        "FOR EACH ROW EXECUTE FUNCTION teamlore_rotation_due()"
    )


def _public_keys() -> None:
    op.create_table(
        "public_keys",
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("wrapping_key", sa.LargeBinary(), nullable=False),
        sa.Column("signing_key", sa.LargeBinary(), nullable=False),
        sa.Column("proof", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("public_keys_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("account_id", "number", name=op.f("public_keys_pkey")),
    )


def _epochs() -> None:
    op.create_table(
        "encryptions",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("enabled_at", INSTANT, nullable=False),
        sa.Column("enabled_by", sa.Uuid(), nullable=False),
        sa.Column("searchable", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("rotation_due", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("encryptions_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", name=op.f("encryptions_pkey")),
    )
    op.create_table(
        "key_epochs",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("statement", sa.LargeBinary(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column("signer_number", sa.Integer(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id"],
            ["encryptions.scope_id"],
            name=op.f("key_epochs_scope_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scope_id", "number", name=op.f("key_epochs_pkey")),
    )


def _wrapped_keys() -> None:
    op.create_table(
        "wrapped_keys",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("key_number", sa.Integer(), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_by", sa.Uuid(), nullable=False),
        sa.Column("signer_number", sa.Integer(), nullable=False),
        sa.Column("signature", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["scope_id", "account_id"],
            ["memberships.scope_id", "memberships.account_id"],
            name=op.f("wrapped_keys_scope_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["scope_id", "epoch"],
            ["key_epochs.scope_id", "key_epochs.number"],
            name=op.f("wrapped_keys_epoch_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scope_id", "account_id", "epoch", name=op.f("wrapped_keys_pkey")),
    )


def _sealed_entries() -> None:
    op.create_table(
        "sealed_entries",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.LargeBinary(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column(
            "tokens",
            postgresql.ARRAY(sa.LargeBinary()),
            server_default=sa.text("'{}'"),
            nullable=False,
        ),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Column("deleted_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"],
            ["encryptions.scope_id"],
            name=op.f("sealed_entries_scope_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("scope_id", "id", name=op.f("sealed_entries_pkey")),
    )
    op.create_index("sealed_entries_log_idx", "sealed_entries", ["scope_id", "version"])
    op.create_index(
        "sealed_entries_tombstones_idx",
        "sealed_entries",
        ["scope_id", "version"],
        postgresql_where=sa.text("deleted_at IS NOT NULL"),
    )
    op.create_index(
        "sealed_entries_tokens_idx", "sealed_entries", ["tokens"], postgresql_using="gin"
    )


def _protect() -> None:
    owned = dict.fromkeys(SCOPED, f"scope_id = {MINE}") | {"public_keys": f"account_id = {ME}"}
    for table, condition in owned.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY owned ON {table} USING ({SYSTEM} OR {condition})")
    op.execute(f"CREATE POLICY readable ON public_keys FOR SELECT USING ({KNOWN})")


def downgrade() -> None:
    raise RuntimeError("teams may be encrypted since: restore a backup instead")
