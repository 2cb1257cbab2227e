"""Every table, declared once; the migrations must reproduce exactly this (a test compares them).

Ids of scopes: a person's own scope has the account's id, a team's scope has the team's id. So
`scope_id = author_id` says "private to its author", and a team is nothing but its scope.

Primary and unique keys of owned tables lead with `scope_id`, so that the tables can be distributed
by scope. One long list on purpose: the whole schema can be read from top to bottom.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Computed,
    DateTime,
    Double,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TSVECTOR

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ck": "%(table_name)s_%(constraint_name)s_check",
        "fk": "%(table_name)s_%(column_0_N_name)s_fkey",
        "pk": "%(table_name)s_pkey",
    }
)

NOW = text("now()")
Instant = DateTime(timezone=True)
EMPTY_ARRAY = text("'{}'")

scopes = Table(
    "scopes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "kind", Text, CheckConstraint("kind IN ('person', 'team')", name="kind"), nullable=False
    ),
    Column("name", Text, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    Column("head", BigInteger, nullable=False, server_default=text("0")),
    Column("head_at", Instant, nullable=False, server_default=NOW),
    Column("pruned", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    Column("deleted_at", Instant),
)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), primary_key=True),
    Column("email", Text),
    Column("email_key", Text, unique=True),
    Column("username", Text),
    Column("username_key", Text, unique=True),
    Column("password_hash", Text),
    Column("tier", Text, nullable=False, server_default=text("'free'")),
    Column("token_epoch", Integer, nullable=False, server_default=text("0")),
    Column("sync_actions", BigInteger, nullable=False, server_default=text("0")),
    Column("created_at", Instant, nullable=False, server_default=NOW),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("account_id", Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("prefix", Text, nullable=False),
    Column("label", Text, nullable=False, server_default=text("''")),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    Column("last_used_at", Instant),
    Column("revoked_at", Instant),
    Index("api_keys_account_id_idx", "account_id", "created_at"),
)

memberships = Table(
    "memberships",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("account_id", Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column(
        "role",
        Text,
        CheckConstraint("role IN ('owner', 'admin', 'member', 'viewer')", name="role"),
        nullable=False,
    ),
    Column("joined_at", Instant, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("scope_id", "account_id"),
    Index("memberships_account_id_idx", "account_id"),
)

invitations = Table(
    "invitations",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("email", Text, nullable=False),
    Column("email_key", Text, nullable=False),
    Column("token_digest", LargeBinary, nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    Column("expires_at", Instant, nullable=False),
    Column("accepted_at", Instant),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("invitations_token_digest_idx", "token_digest"),
)

log = Table(
    "log",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject_id", Uuid, nullable=False),
    Column("actor_id", Uuid, nullable=False),
    Column("detail", JSONB),
    PrimaryKeyConstraint("scope_id", "version"),
    Index("log_scope_id_at_idx", "scope_id", "at"),
)

_SEARCH = (
    "setweight(to_tsvector('english', summary), 'A') || "
    "setweight(to_tsvector('simple', summary), 'A') || "
    "setweight(to_tsvector('simple', teamlore_words(tags)), 'B') || "
    "setweight(to_tsvector('english', coalesce(details, '')), 'C')"
)

knowledge = Table(
    "knowledge",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("author_id", Uuid, nullable=False),
    Column("type", Text, nullable=False),
    Column("timestamp", BigInteger, nullable=False),
    Column("summary", Text, nullable=False),
    Column("project", Text),
    Column("session_id", Text),
    Column("details", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("related_files", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("sameness", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Column("search", TSVECTOR, Computed(_SEARCH, persisted=True)),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("knowledge_log_idx", "scope_id", "version"),
    Index("knowledge_newest_idx", "scope_id", "timestamp", "id"),
    Index("knowledge_search_idx", "search", postgresql_using="gin"),
    Index(
        "knowledge_same_idx",
        "scope_id",
        "author_id",
        "sameness",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

summaries = Table(
    "summaries",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("author_id", Uuid, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("project", Text),
    Column("summary", JSONB, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("summaries_log_idx", "scope_id", "version"),
    Index(
        "summaries_session_idx",
        "scope_id",
        "author_id",
        "session_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

sessions = Table(
    "sessions",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("session_id", Text, nullable=False),
    Column("name", Text),
    Column("project_name", Text),
    Column("working_directory", Text),
    Column("cwd", Text),
    Column("git_branch", Text),
    Column("title", Text),
    Column("title_rank", Integer),
    Column("first_at", Instant),
    Column("last_at", Instant),
    Column("conversation_size", BigInteger, nullable=False, server_default=text("0")),
    Column("conversation_lines", BigInteger, nullable=False, server_default=text("0")),
    Column("head_number", Integer),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("sessions_log_idx", "scope_id", "version"),
    Index("sessions_newest_idx", "scope_id", "updated_at", "id"),
    Index(
        "sessions_session_idx",
        "scope_id",
        "session_id",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

conversation_versions = Table(
    "conversation_versions",
    metadata,
    Column("scope_id", Uuid, nullable=False),
    Column("session", Uuid, nullable=False),
    # The empty path is the conversation itself; others are further files of the session.
    Column("path", Text, nullable=False, server_default=text("''")),
    Column("number", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("block_size", Integer, nullable=False),
    Column("blocks", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    Column("updated_at", Instant, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("scope_id", "session", "path", "number"),
    ForeignKeyConstraint(
        ["scope_id", "session"], ["sessions.scope_id", "sessions.id"], ondelete="CASCADE"
    ),
)

# How often blocks of a scope have been collected; odd while that is going on.
sweeps = Table(
    "sweeps",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, nullable=False),
)

patterns = Table(
    "patterns",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("sameness", LargeBinary, nullable=False, unique=True),
    Column("category", Text, nullable=False),
    Column("approach", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("platform", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("effectiveness", Double),
    Column("independent", Integer, nullable=False, server_default=text("0")),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("visible_at", Instant),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    Column("updated_at", Instant, nullable=False, server_default=NOW),
    Column(
        "search",
        TSVECTOR,
        Computed(
            "setweight(to_tsvector('english', approach), 'A') || "
            "setweight(to_tsvector('simple', approach), 'A') || "
            "setweight(to_tsvector('simple', category), 'B')",
            persisted=True,
        ),
    ),
    Index("patterns_search_idx", "search", postgresql_using="gin"),
    Index(
        "patterns_visible_idx", "visible_at", "id", postgresql_where=text("visible_at IS NOT NULL")
    ),
)

contributions = Table(
    "contributions",
    metadata,
    Column("pattern_id", Uuid, ForeignKey("patterns.id", ondelete="CASCADE"), nullable=False),
    Column("contributor", LargeBinary, nullable=False),
    Column("groups", ARRAY(LargeBinary), nullable=False, server_default=EMPTY_ARRAY),
    Column("anonymous", Boolean, nullable=False, server_default=text("false")),
    Column("type", Text, nullable=False),
    Column("platform", Text),
    Column("tags", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("effectiveness", Double),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    PrimaryKeyConstraint("pattern_id", "contributor"),
)

contributors = Table(
    "contributors",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("since", Instant, nullable=False, server_default=NOW),
)
