"""Knowledge that comes in bulk is indexed right after it is stored, and all of it faster.

`indexed` says whether an entry's search columns are filled. What a large push brought has none for
a moment: searches read the texts of such entries themselves, so that they are found at once.

An index for what somebody wrote, wherever it is: the list that a person sees first.

Revision ID: 0022
Revises: 0021
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_ANY = "teamlore_vector_of_any"
# A text in ASCII has no words but these. The outcome is the same as that of the general function,
# which looks for other scripts, too; so rows that are stored already stay as they are.
VECTOR = rf"""
CREATE FUNCTION teamlore_vector(t text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT
CASE WHEN t = '' THEN '|:2,4'::tsvector
WHEN t ~ '[^\u0001-\u007F]' THEN {_ANY}(t)
ELSE to_tsvector('simple',
    regexp_replace(regexp_replace(regexp_replace(regexp_replace(t, '[^A-Za-z0-9]+', ' ', 'g'),
    '([a-z0-9])([A-Z])', '\1 \2', 'g'), '([A-Z])([A-Z][a-z])', '\1 \2', 'g'),
    '\m[vV](\d)', '\1', 'g')
) || '|:2'::tsvector || to_tsvector('russian', t) || '|:2'::tsvector
END; END
"""
SEARCH = """
CREATE FUNCTION teamlore_search(
    summary text, tags text[], details text, project text, related_files text[]
) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT
    setweight(teamlore_vector(summary), 'A') ||
    setweight(teamlore_vector(teamlore_words(tags)), 'B') ||
    setweight(teamlore_vector(coalesce(details, '')), 'C') ||
    setweight(teamlore_vector(
        (coalesce(project, '') || ' ') || teamlore_words(related_files)), 'D');
END
"""
LIKENESS = """
CREATE FUNCTION teamlore_likeness(summary text, tags text[]) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC
SELECT teamlore_fuzzy((summary || ' ') || teamlore_words(tags)); END
"""
COLUMNS = {
    "search tsvector": "teamlore_search(summary, tags, details, project, related_files)",
    "fuzzy text": "teamlore_likeness(summary, tags)",
}
TRIGRAMS = """
DO $$ BEGIN
    CREATE INDEX knowledge_fuzzy_idx ON knowledge USING gin (fuzzy gin_trgm_ops);
EXCEPTION WHEN undefined_object THEN
    RAISE WARNING 'no extension pg_trgm: searches will not look past typos';
END $$
"""
# They make a claim for a moment, which PostgreSQL refuses in the midst of a parallel plan: lists of
# some 100,000 entries failed.
UNSAFE = """
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['teamlore_scopes()', 'teamlore_memberships()'] LOOP
        IF to_regprocedure(name) IS NOT NULL THEN
            EXECUTE format('ALTER FUNCTION %s PARALLEL UNSAFE', name);
        END IF;
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.get_bind().exec_driver_sql(UNSAFE)
    op.execute(f"ALTER FUNCTION teamlore_vector(text) RENAME TO {_ANY}")
    for function in (VECTOR, SEARCH, LIKENESS):
        op.get_bind().exec_driver_sql(function)
    # Their indexes go with the columns. One statement, so that the table is written once.
    added = ", ".join(
        f"ADD COLUMN {column} GENERATED ALWAYS AS (CASE WHEN indexed THEN {value} END) STORED"
        for column, value in COLUMNS.items()
    )
    op.execute("ALTER TABLE knowledge ADD COLUMN indexed boolean NOT NULL DEFAULT true")
    op.execute(f"ALTER TABLE knowledge DROP COLUMN search, DROP COLUMN fuzzy, {added}")
    op.create_index("knowledge_search_idx", "knowledge", ["search"], postgresql_using="gin")
    op.execute(TRIGRAMS)
    op.create_index(
        "knowledge_unindexed_idx",
        "knowledge",
        ["scope_id"],
        postgresql_where=sa.text("NOT indexed"),
    )
    op.create_index(
        "knowledge_own_idx",
        "knowledge",
        ["author_id", "timestamp", "id"],
        postgresql_where=sa.text("deleted_at IS NULL"),
    )


def downgrade() -> None:
    raise RuntimeError("entries may be without an index at this moment: restore a backup instead")
