"""What conversations say: messages, token usage, and what is still to be read.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_TABLES = """
CREATE TABLE readings (
    scope_id uuid NOT NULL,
    session uuid NOT NULL,
    file text NOT NULL,
    number integer NOT NULL,
    size bigint NOT NULL,
    lines bigint NOT NULL,
    open_line boolean DEFAULT false NOT NULL,
    latest_at timestamptz NOT NULL,
    counts jsonb NOT NULL,
    models text[] DEFAULT '{}' NOT NULL,
    versions text[] DEFAULT '{}' NOT NULL,
    folders text[] DEFAULT '{}' NOT NULL,
    branches text[] DEFAULT '{}' NOT NULL,
    problem text,
    read_at timestamptz DEFAULT now() NOT NULL,
    CONSTRAINT readings_pkey PRIMARY KEY (scope_id, session, file),
    CONSTRAINT readings_scope_id_session_fkey FOREIGN KEY (scope_id, session)
        REFERENCES sessions (scope_id, id) ON DELETE CASCADE
);
CREATE TABLE reading_due (
    scope_id uuid NOT NULL,
    session uuid NOT NULL,
    file text NOT NULL,
    generation bigint DEFAULT 0 NOT NULL,
    at timestamptz DEFAULT now() NOT NULL,
    leased_until timestamptz,
    CONSTRAINT reading_due_pkey PRIMARY KEY (scope_id, session, file)
);
CREATE INDEX reading_due_at_idx ON reading_due (at);
CREATE TABLE messages (
    scope_id uuid NOT NULL,
    session uuid NOT NULL,
    file text NOT NULL,
    line bigint NOT NULL,
    start bigint NOT NULL,
    length bigint NOT NULL,
    kind text NOT NULL,
    subtype text,
    role text,
    uuid text,
    parent text,
    sidechain boolean NOT NULL,
    agent_id text,
    at timestamptz NOT NULL,
    timed boolean NOT NULL,
    model text,
    text text,
    thinking text,
    tools jsonb,
    search tsvector NOT NULL,
    CONSTRAINT messages_pkey PRIMARY KEY (scope_id, session, file, line),
    CONSTRAINT messages_scope_id_session_file_fkey FOREIGN KEY (scope_id, session, file)
        REFERENCES readings (scope_id, session, file) ON DELETE CASCADE
);
CREATE INDEX messages_newest_idx ON messages (scope_id, at, session, file, line);
CREATE INDEX messages_search_idx ON messages USING gin (search);
CREATE INDEX messages_uuid_idx ON messages (scope_id, session, uuid) WHERE uuid IS NOT NULL;
CREATE TABLE token_usage (
    scope_id uuid NOT NULL,
    session uuid NOT NULL,
    file text NOT NULL,
    key text NOT NULL,
    line bigint NOT NULL,
    at timestamptz,
    model text NOT NULL,
    input bigint NOT NULL,
    output bigint NOT NULL,
    cache_creation bigint NOT NULL,
    cache_creation_1h bigint NOT NULL,
    cache_read bigint NOT NULL,
    counted boolean DEFAULT true NOT NULL,
    CONSTRAINT token_usage_pkey PRIMARY KEY (scope_id, session, file, key),
    CONSTRAINT token_usage_scope_id_session_file_fkey FOREIGN KEY (scope_id, session, file)
        REFERENCES readings (scope_id, session, file) ON DELETE CASCADE
);
CREATE INDEX token_usage_at_idx ON token_usage (scope_id, at);
CREATE INDEX token_usage_key_idx ON token_usage (scope_id, key);
"""

# Whoever writes a version makes its reading due, in the same transaction. Where versions have a
# `path`, it is the file; only transcripts are read. Further files come with their own migration,
# so the column is looked for rather than named.
_FUNCTION = """
CREATE FUNCTION teamlore_reading_due() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    changed conversation_versions;
    name text;
BEGIN
    IF TG_OP = 'DELETE' THEN changed := OLD; ELSE changed := NEW; END IF;
    name := coalesce(to_jsonb(changed) ->> 'path', '');
    IF name = '' OR name LIKE 'subagents/%.jsonl' THEN
        INSERT INTO reading_due (scope_id, session, file)
        VALUES (changed.scope_id, changed.session, name)
        ON CONFLICT (scope_id, session, file)
        DO UPDATE SET generation = reading_due.generation + 1;
    END IF;
    RETURN NULL;
END $$
"""

_TRIGGER = """
CREATE TRIGGER conversation_versions_reading_due
AFTER INSERT OR UPDATE OR DELETE ON conversation_versions
FOR EACH ROW EXECUTE FUNCTION teamlore_reading_due()
"""

_BACKLOG = """
INSERT INTO reading_due (scope_id, session, file)
SELECT DISTINCT scope_id, session, '' FROM conversation_versions
"""


def upgrade() -> None:
    for statement in _TABLES.split(";"):
        if statement.strip():
            op.execute(statement)
    op.execute(_FUNCTION)
    op.execute(_TRIGGER)
    op.execute(_BACKLOG)


def downgrade() -> None:
    op.execute("DROP TRIGGER conversation_versions_reading_due ON conversation_versions")
    op.execute("DROP FUNCTION teamlore_reading_due")
    for table in ("token_usage", "messages", "reading_due", "readings"):
        op.drop_table(table)
