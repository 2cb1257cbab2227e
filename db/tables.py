"""Every table, declared once; the migrations must reproduce exactly this (a test compares them).

Ids of scopes: a person's own scope has the account's id, a team's scope has the team's id. So
`scope_id = author_id` says "private to its author", and a team is nothing but its scope.

Primary and unique keys of owned tables lead with `scope_id`, so that the tables can be distributed
by scope. One long list on purpose: the whole schema can be read from top to bottom.

One scope has no members: `COMMUNITY`, whose log says which patterns became visible.
"""

from __future__ import annotations

from uuid import UUID

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
    Numeric,
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
COMMUNITY = UUID("c0000000-0000-4000-8000-000000000000")
"""The scope of kind 'community', there since its migration; everybody signed in may follow it."""
COUNTED_MAX = 4
"""In the drawn numbers of at most so many patterns one contributor counts.

A part of what is promised (docs/community-privacy.md); another figure needs a migration.
"""

scopes = Table(
    "scopes",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column(
        "kind",
        Text,
        CheckConstraint("kind IN ('person', 'team', 'community')", name="kind"),
        nullable=False,
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
    Column("email_verified_at", Instant),
)

# Links in mails, of which only the digest is kept: each works once and not for long.
mail_tokens = Table(
    "mail_tokens",
    metadata,
    Column("account_id", Uuid, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column(
        "purpose",
        Text,
        CheckConstraint("purpose IN ('verify_email', 'reset_password')", name="purpose"),
        nullable=False,
    ),
    Column("email_key", Text, nullable=False),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    Column("expires_at", Instant, nullable=False),
    PrimaryKeyConstraint("account_id", "digest"),
    Index("mail_tokens_digest_idx", "digest"),
)

# What requests have taken of their budgets, by a digest of who asks. Lost in a crash, and no harm.
budgets = Table(
    "budgets",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("ends", Instant, nullable=False),
    Column("used", BigInteger, nullable=False),
    prefixes=["UNLOGGED"],
)

# Attempts to log in, by digests of the account, the address, and both; see db.login_attempts.
login_attempts = Table(
    "login_attempts",
    metadata,
    Column("key", LargeBinary, primary_key=True),
    Column("ends", Instant, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("strikes", Integer, nullable=False, server_default=text("0")),
    Column("known_until", Instant),
    prefixes=["UNLOGGED"],
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
    Column("scopes", ARRAY(Text), nullable=False, server_default=text("'{read,write,sync,admin}'")),
    Column("expires_at", Instant),
    Column("last_address", Text),
    Column("last_program", Text),
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
    Index("memberships_account_id_idx", "account_id", "scope_id"),
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
    Column(
        "role",
        Text,
        CheckConstraint("role IN ('admin', 'member', 'viewer')", name="role"),
        nullable=False,
        server_default=text("'member'"),
    ),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("invitations_token_digest_idx", "token_digest"),
    Index("invitations_email_key_idx", "email_key"),
)

# Append-only: a trigger refuses changes, and deletions but those that cascade from a team. What
# erases an account, or prunes, tells the trigger first (db.audit.open_door). No foreign key leads
# to accounts: what teams have to know outlives them.
audit = Table(
    "audit",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("at", Instant, nullable=False, server_default=text("clock_timestamp()")),
    Column("kind", Text, nullable=False),
    Column("actor_id", Uuid),
    Column("account_id", Uuid),
    Column("team_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE")),
    Column("key_id", Uuid),
    Column("address", Text),
    Column("user_agent", Text),
    Column("detail", JSONB),
    Index("audit_account_idx", "account_id", "at", "id"),
    Index("audit_actor_idx", "actor_id", "at", "id"),
    Index("audit_team_idx", "team_id", "at", "id"),
    Index("audit_at_idx", "at"),
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
    "CASE WHEN indexed THEN teamlore_search(summary, tags, details, project, related_files) "
    "ELSE NULL::tsvector END"
)
_FUZZY = "CASE WHEN indexed THEN teamlore_likeness(summary, tags) ELSE NULL::text END"

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
    Column("pinned_at", Instant),
    # Whether the two below are filled; a large push leaves that to `domain.indexing`.
    Column("indexed", Boolean, nullable=False, server_default=text("true")),
    Column("search", TSVECTOR, Computed(_SEARCH, persisted=True)),
    Column("fuzzy", Text, Computed(_FUZZY, persisted=True)),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("knowledge_log_idx", "scope_id", "version"),
    Index(
        "knowledge_tombstones_idx",
        "scope_id",
        "version",
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
    Index("knowledge_newest_idx", "scope_id", "timestamp", "id"),
    Index(
        "knowledge_own_idx",
        "author_id",
        "timestamp",
        "id",
        postgresql_where=text("deleted_at IS NULL"),
    ),
    Index("knowledge_unindexed_idx", "scope_id", postgresql_where=text("NOT indexed")),
    Index("knowledge_search_idx", "search", postgresql_using="gin"),
    Index(
        "knowledge_fuzzy_idx",
        "fuzzy",
        postgresql_using="gin",
        postgresql_ops={"fuzzy": "gin_trgm_ops"},
    ),
    Index(
        "knowledge_same_idx",
        "scope_id",
        "author_id",
        "sameness",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

stars = Table(
    "stars",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("entry_id", Uuid, nullable=False),
    Column("created_at", Instant, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("scope_id", "entry_id"),
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
        "summaries_tombstones_idx",
        "scope_id",
        "version",
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
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
    Column("tags", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("notes", Text),
    Column("git_remote", Text),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    Column("key_id", Uuid),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("sessions_log_idx", "scope_id", "version"),
    Index(
        "sessions_tombstones_idx",
        "scope_id",
        "version",
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
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

session_shares = Table(
    "session_shares",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), nullable=False),
    Column("id", Uuid, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    Column("session", Uuid, nullable=False),
    Column("title", Text),
    Column("note", Text),
    Column("shown", ARRAY(Text), nullable=False),
    Column("shared_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("version", BigInteger, nullable=False),
    Column("deleted_at", Instant),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("session_shares_newest_idx", "scope_id", "shared_at", "id"),
    Index("session_shares_session_idx", "owner_id", "session"),
    Index(
        "session_shares_expiry_idx",
        "expires_at",
        postgresql_where=text("deleted_at IS NULL AND expires_at IS NOT NULL"),
    ),
    Index(
        "session_shares_one_idx",
        "scope_id",
        "session",
        unique=True,
        postgresql_where=text("deleted_at IS NULL"),
    ),
)

# End-to-end encryption of teams (docs/end-to-end-encryption.md). Nothing here opens anything: keys
# are public or wrapped for one member, statements and signatures are checked by the clients. Public
# keys outlive their account where a team checks with them what the account made (db.erasure).
public_keys = Table(
    "public_keys",
    metadata,
    Column("account_id", Uuid, nullable=False),
    Column("number", Integer, nullable=False),
    Column("wrapping_key", LargeBinary, nullable=False),
    Column("signing_key", LargeBinary, nullable=False),
    Column("proof", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("account_id", "number"),
)

# A row here says that the scope is encrypted. A trigger on memberships sets `rotation_due`, and
# triggers on what is kept in plaintext refuse rows of such a scope.
encryptions = Table(
    "encryptions",
    metadata,
    Column("scope_id", Uuid, ForeignKey("scopes.id", ondelete="CASCADE"), primary_key=True),
    Column("enabled_at", Instant, nullable=False),
    Column("enabled_by", Uuid, nullable=False),
    Column("searchable", Boolean, nullable=False, server_default=text("false")),
    Column("epoch", Integer, nullable=False, server_default=text("0")),
    Column("rotation_due", Boolean, nullable=False, server_default=text("true")),
)

key_epochs = Table(
    "key_epochs",
    metadata,
    Column(
        "scope_id", Uuid, ForeignKey("encryptions.scope_id", ondelete="CASCADE"), nullable=False
    ),
    Column("number", Integer, nullable=False),
    Column("statement", LargeBinary, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("created_by", Uuid, nullable=False),
    Column("signer_number", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("scope_id", "number"),
)

# Whoever leaves the team loses its rows with its membership.
wrapped_keys = Table(
    "wrapped_keys",
    metadata,
    Column("scope_id", Uuid, nullable=False),
    Column("account_id", Uuid, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("key_number", Integer, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("wrapped_by", Uuid, nullable=False),
    Column("signer_number", Integer, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    Column("created_at", Instant, nullable=False),
    PrimaryKeyConstraint("scope_id", "account_id", "epoch"),
    ForeignKeyConstraint(
        ["scope_id", "account_id"],
        ["memberships.scope_id", "memberships.account_id"],
        ondelete="CASCADE",
    ),
    ForeignKeyConstraint(
        ["scope_id", "epoch"],
        ["key_epochs.scope_id", "key_epochs.number"],
        name="wrapped_keys_epoch_fkey",
        ondelete="CASCADE",
    ),
)

sealed_entries = Table(
    "sealed_entries",
    metadata,
    Column(
        "scope_id", Uuid, ForeignKey("encryptions.scope_id", ondelete="CASCADE"), nullable=False
    ),
    Column("id", Uuid, nullable=False),
    Column("author_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("tokens", ARRAY(LargeBinary), nullable=False, server_default=EMPTY_ARRAY),
    Column("version", BigInteger, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("deleted_at", Instant),
    PrimaryKeyConstraint("scope_id", "id"),
    Index("sealed_entries_log_idx", "scope_id", "version"),
    Index(
        "sealed_entries_tombstones_idx",
        "scope_id",
        "version",
        postgresql_where=text("deleted_at IS NOT NULL"),
    ),
    Index("sealed_entries_tokens_idx", "tokens", postgresql_using="gin"),
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
    # Whether three rate it, and the numbers of the last draw; exact ones are kept nowhere.
    Column("rated", Boolean, nullable=False, server_default=text("false")),
    Column("reach", BigInteger),
    Column("effectiveness", Double),
    Column("numbers_from", Instant),
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
    Column("grams", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Index("patterns_search_idx", "search", postgresql_using="gin"),
    Index("patterns_grams_idx", "grams", postgresql_using="gin"),
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
    Column("counts_from", Instant),
    # Whether the drawn numbers know of it; of one contributor's that is COUNTED_MAX.
    Column("counted", Boolean, nullable=False, server_default=text("false")),
    Column("category", Text),
    Column("approach", Text),
    PrimaryKeyConstraint("pattern_id", "contributor"),
    Index(
        "contributions_counts_from_idx",
        "counts_from",
        postgresql_where=text("counts_from IS NOT NULL"),
    ),
)

contributors = Table(
    "contributors",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("since", Instant, nullable=False, server_default=NOW),
    Column(
        "counted",
        Integer,
        CheckConstraint(f"counted BETWEEN 0 AND {COUNTED_MAX}", name="counted"),
        nullable=False,
        server_default=text("0"),
    ),
)

# One line for each draw of the community's numbers: what it cost, and the number that belongs to
# no one pattern. `spent` counts this line and all before it.
privacy_ledger = Table(
    "privacy_ledger",
    metadata,
    Column("epoch", Instant, primary_key=True),
    Column("epsilon", Numeric, CheckConstraint("epsilon > 0", name="epsilon"), nullable=False),
    Column("spent", Numeric, nullable=False),
    Column("budget", Numeric, nullable=False),
    Column("contributors", BigInteger, nullable=False),
    Column("margin", BigInteger, nullable=False),
    Column("drawn_at", Instant, nullable=False, server_default=NOW),
    CheckConstraint("spent <= budget", name="budget"),
)

# What conversations say. `file` is empty for the conversation itself, else the path of a
# subagent's transcript inside the session. A reading describes the head version.
readings = Table(
    "readings",
    metadata,
    Column("scope_id", Uuid, nullable=False),
    Column("session", Uuid, nullable=False),
    Column("file", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("lines", BigInteger, nullable=False),
    Column("open_line", Boolean, nullable=False, server_default=text("false")),
    Column("latest_at", Instant, nullable=False),
    Column("counts", JSONB, nullable=False),
    Column("models", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("versions", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("folders", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("branches", ARRAY(Text), nullable=False, server_default=EMPTY_ARRAY),
    Column("problem", Text),
    Column("read_at", Instant, nullable=False, server_default=NOW),
    PrimaryKeyConstraint("scope_id", "session", "file"),
    ForeignKeyConstraint(
        ["scope_id", "session"], ["sessions.scope_id", "sessions.id"], ondelete="CASCADE"
    ),
)

# Filled by a trigger on conversation_versions, so that no upload can be forgotten.
reading_due = Table(
    "reading_due",
    metadata,
    Column("scope_id", Uuid, nullable=False),
    Column("session", Uuid, nullable=False),
    Column("file", Text, nullable=False),
    Column("generation", BigInteger, nullable=False, server_default=text("0")),
    Column("at", Instant, nullable=False, server_default=NOW),
    Column("leased_until", Instant),
    PrimaryKeyConstraint("scope_id", "session", "file"),
    Index("reading_due_at_idx", "at"),
)

# The terms in `search` begin with their scope, so that the index is one per scope.
messages = Table(
    "messages",
    metadata,
    Column("scope_id", Uuid, nullable=False),
    Column("session", Uuid, nullable=False),
    Column("file", Text, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("length", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subtype", Text),
    Column("role", Text),
    Column("uuid", Text),
    Column("parent", Text),
    Column("sidechain", Boolean, nullable=False),
    Column("agent_id", Text),
    Column("at", Instant, nullable=False),
    Column("timed", Boolean, nullable=False),
    Column("model", Text),
    Column("text", Text),
    Column("thinking", Text),
    Column("tools", JSONB),
    Column("search", TSVECTOR, nullable=False),
    PrimaryKeyConstraint("scope_id", "session", "file", "line"),
    ForeignKeyConstraint(
        ["scope_id", "session", "file"],
        ["readings.scope_id", "readings.session", "readings.file"],
        ondelete="CASCADE",
    ),
    Index(
        "messages_uuid_idx",
        "scope_id",
        "session",
        "uuid",
        postgresql_where=text("uuid IS NOT NULL"),
    ),
    Index("messages_newest_idx", "scope_id", "at", "session", "file", "line"),
    Index("messages_search_idx", "search", postgresql_using="gin"),
)

# One row for each answer of a model in each file; of those with one key in a scope one is counted.
token_usage = Table(
    "token_usage",
    metadata,
    Column("scope_id", Uuid, nullable=False),
    Column("session", Uuid, nullable=False),
    Column("file", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("line", BigInteger, nullable=False),
    Column("at", Instant),
    Column("model", Text, nullable=False),
    Column("input", BigInteger, nullable=False),
    Column("output", BigInteger, nullable=False),
    Column("cache_creation", BigInteger, nullable=False),
    Column("cache_creation_1h", BigInteger, nullable=False),
    Column("cache_read", BigInteger, nullable=False),
    Column("counted", Boolean, nullable=False, server_default=text("true")),
    PrimaryKeyConstraint("scope_id", "session", "file", "key"),
    ForeignKeyConstraint(
        ["scope_id", "session", "file"],
        ["readings.scope_id", "readings.session", "readings.file"],
        ondelete="CASCADE",
    ),
    Index("token_usage_key_idx", "scope_id", "key"),
    Index("token_usage_at_idx", "scope_id", "at"),
)
