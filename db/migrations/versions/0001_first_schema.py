"""The first schema: accounts, scopes, the log, knowledge, sessions, conversations, patterns."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WORDS = """
CREATE FUNCTION teamlore_words(items text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$ SELECT array_to_string(items, ' ') $$
"""

PATTERN_SEARCH = (
    "setweight(to_tsvector('english', approach), 'A') || "
    "setweight(to_tsvector('simple', approach), 'A') || "
    "setweight(to_tsvector('simple', category), 'B')"
)
KNOWLEDGE_SEARCH = (
    "setweight(to_tsvector('english', summary), 'A') || "
    "setweight(to_tsvector('simple', summary), 'A') || "
    "setweight(to_tsvector('simple', teamlore_words(tags)), 'B') || "
    "setweight(to_tsvector('english', coalesce(details, '')), 'C')"
)


def upgrade() -> None:
    op.execute(WORDS)
    op.create_table(
        "contributors",
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.PrimaryKeyConstraint("digest", name=op.f("contributors_pkey")),
    )
    op.create_table(
        "patterns",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sameness", sa.LargeBinary(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("approach", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("effectiveness", sa.Double(), nullable=True),
        sa.Column("independent", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("visible_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                PATTERN_SEARCH,
                persisted=True,
            ),
            nullable=True,
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("patterns_pkey")),
        sa.UniqueConstraint("sameness", name=op.f("patterns_sameness_key")),
    )
    op.create_index(
        "patterns_search_idx", "patterns", ["search"], unique=False, postgresql_using="gin"
    )
    op.create_index(
        "patterns_visible_idx",
        "patterns",
        ["visible_at", "id"],
        unique=False,
        postgresql_where=sa.text("visible_at IS NOT NULL"),
    )
    op.create_table(
        "scopes",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("head", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "head_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.Column("pruned", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("scopes_pkey")),
    )
    op.create_table(
        "accounts",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("email_key", sa.Text(), nullable=True),
        sa.Column("username", sa.Text(), nullable=True),
        sa.Column("username_key", sa.Text(), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("tier", sa.Text(), server_default=sa.text("'free'"), nullable=False),
        sa.Column("token_epoch", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("sync_actions", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["id"], ["scopes.id"], name=op.f("accounts_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("accounts_pkey")),
        sa.UniqueConstraint("email_key", name=op.f("accounts_email_key_key")),
        sa.UniqueConstraint("username_key", name=op.f("accounts_username_key_key")),
    )
    op.create_table(
        "contributions",
        sa.Column("pattern_id", sa.Uuid(), nullable=False),
        sa.Column("contributor", sa.LargeBinary(), nullable=False),
        sa.Column(
            "groups", sa.ARRAY(sa.LargeBinary()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("anonymous", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("platform", sa.Text(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("effectiveness", sa.Double(), nullable=True),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["pattern_id"],
            ["patterns.id"],
            name=op.f("contributions_pattern_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("pattern_id", "contributor", name=op.f("contributions_pkey")),
    )
    op.create_table(
        "invitations",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", sa.Text(), nullable=False),
        sa.Column("token_digest", sa.LargeBinary(), nullable=False),
        sa.Column("created_by", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("invitations_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "id", name=op.f("invitations_pkey")),
    )
    op.create_index("invitations_token_digest_idx", "invitations", ["token_digest"], unique=False)
    op.create_table(
        "knowledge",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("summary", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("session_id", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("tags", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column(
            "related_files", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False
        ),
        sa.Column("sameness", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                KNOWLEDGE_SEARCH,
                persisted=True,
            ),
            nullable=True,
        ),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("knowledge_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "id", name=op.f("knowledge_pkey")),
    )
    op.create_index("knowledge_log_idx", "knowledge", ["scope_id", "version"], unique=False)
    op.create_index(
        "knowledge_newest_idx", "knowledge", ["scope_id", "timestamp", "id"], unique=False
    )
    op.create_index(
        "knowledge_same_idx",
        "knowledge",
        ["scope_id", "author_id", "sameness"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "knowledge_search_idx", "knowledge", ["search"], unique=False, postgresql_using="gin"
    )
    op.create_table(
        "log",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("actor_id", sa.Uuid(), nullable=False),
        sa.Column("detail", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("log_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "version", name=op.f("log_pkey")),
    )
    op.create_index("log_scope_id_at_idx", "log", ["scope_id", "at"], unique=False)
    op.create_table(
        "sessions",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("project_name", sa.Text(), nullable=True),
        sa.Column("working_directory", sa.Text(), nullable=True),
        sa.Column("cwd", sa.Text(), nullable=True),
        sa.Column("git_branch", sa.Text(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("title_rank", sa.Integer(), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "conversation_size", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column(
            "conversation_lines", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
        sa.Column("head_number", sa.Integer(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("sessions_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "id", name=op.f("sessions_pkey")),
    )
    op.create_index("sessions_log_idx", "sessions", ["scope_id", "version"], unique=False)
    op.create_index(
        "sessions_newest_idx", "sessions", ["scope_id", "updated_at", "id"], unique=False
    )
    op.create_index(
        "sessions_session_idx",
        "sessions",
        ["scope_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "summaries",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("author_id", sa.Uuid(), nullable=False),
        sa.Column("session_id", sa.Text(), nullable=False),
        sa.Column("project", sa.Text(), nullable=True),
        sa.Column("summary", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("summaries_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "id", name=op.f("summaries_pkey")),
    )
    op.create_index("summaries_log_idx", "summaries", ["scope_id", "version"], unique=False)
    op.create_index(
        "summaries_session_idx",
        "summaries",
        ["scope_id", "author_id", "session_id"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "api_keys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("prefix", sa.Text(), nullable=False),
        sa.Column("label", sa.Text(), server_default=sa.text("''"), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("api_keys_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("api_keys_pkey")),
        sa.UniqueConstraint("digest", name=op.f("api_keys_digest_key")),
    )
    op.create_index(
        "api_keys_account_id_idx", "api_keys", ["account_id", "created_at"], unique=False
    )
    op.create_table(
        "conversation_versions",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("session", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("block_size", sa.Integer(), nullable=False),
        sa.Column("blocks", sa.LargeBinary(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["scope_id", "session"],
            ["sessions.scope_id", "sessions.id"],
            name=op.f("conversation_versions_scope_id_session_fkey"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "scope_id", "session", "number", name=op.f("conversation_versions_pkey")
        ),
    )
    op.create_table(
        "memberships",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column(
            "joined_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
        ),
        sa.ForeignKeyConstraint(
            ["account_id"],
            ["accounts.id"],
            name=op.f("memberships_account_id_fkey"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("memberships_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "account_id", name=op.f("memberships_pkey")),
    )
    op.create_index("memberships_account_id_idx", "memberships", ["account_id"], unique=False)


def downgrade() -> None:
    raise RuntimeError("there is nothing before the first revision: drop the database instead")
