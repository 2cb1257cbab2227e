"""The statements of `db.reading_store`, as asyncpg takes them.

$1, $2 and $3 are always the scope, the session and the file.
"""

from __future__ import annotations

from typing import Final

HOLD: Final = """
UPDATE reading_due SET leased_until = clock_timestamp() + interval '30 seconds'
WHERE scope_id = $1 AND session = $2 AND file = $3
"""
RELEASE: Final = """
UPDATE reading_due SET leased_until = NULL WHERE scope_id = $1 AND session = $2 AND file = $3
"""
POSTPONE: Final = """
UPDATE reading_due SET leased_until = NULL, at = clock_timestamp()
WHERE scope_id = $1 AND session = $2 AND file = $3
"""
IS_DUE: Final = "SELECT 1 FROM reading_due WHERE scope_id = $1 AND session = $2 AND file = $3"
BEGIN_AGAIN: Final = "UPDATE readings SET number = 0"
PROGRESS: Final = """
SELECT number, size, lines, open_line, latest_at, counts, models, versions, folders, branches,
    problem
FROM readings WHERE scope_id = $1 AND session = $2 AND file = $3
"""
ERASE_USAGE: Final = """
DELETE FROM token_usage WHERE scope_id = $1 AND session = $2 AND file = $3 RETURNING key
"""
ERASE: Final = "DELETE FROM readings WHERE scope_id = $1 AND session = $2 AND file = $3"
CLAIM: Final = """
UPDATE reading_due d SET leased_until = clock_timestamp() + interval '30 seconds'
FROM (
    SELECT scope_id, session, file FROM reading_due
    WHERE leased_until IS NULL OR leased_until < clock_timestamp()
    ORDER BY at LIMIT 1 FOR UPDATE SKIP LOCKED
) n
WHERE (d.scope_id, d.session, d.file) = (n.scope_id, n.session, n.file)
RETURNING d.scope_id, d.session, d.file, d.generation
"""
FINISH: Final = """
WITH gone AS (
    DELETE FROM reading_due
    WHERE scope_id = $1 AND session = $2 AND file = $3 AND generation = $4
    RETURNING 1
)
UPDATE reading_due SET leased_until = NULL
WHERE scope_id = $1 AND session = $2 AND file = $3 AND generation <> $4
    AND NOT EXISTS (SELECT FROM gone)
"""
ALL: Final = """
INSERT INTO reading_due (scope_id, session, file)
SELECT DISTINCT v.scope_id, v.session, v.path FROM conversation_versions v
WHERE v.path = '' OR v.path LIKE 'subagents/%.jsonl'
ON CONFLICT (scope_id, session, file) DO UPDATE SET generation = reading_due.generation + 1
RETURNING 1
"""
HEAD: Final = """
SELECT v.number, v.size, v.lines, v.digest, v.block_size, v.blocks
FROM conversation_versions v
JOIN sessions s ON s.scope_id = v.scope_id AND s.id = v.session AND s.deleted_at IS NULL
WHERE v.scope_id = $1 AND v.session = $2 AND v.path = $3
ORDER BY v.size DESC, v.number DESC LIMIT 1
"""
ALONE: Final = "SELECT pg_advisory_xact_lock(5, hashtext($1::uuid::text))"
BEGIN: Final = """
INSERT INTO readings (
    scope_id, session, file, number, size, lines, open_line, latest_at, counts, models, versions,
    folders, branches, problem
)
SELECT $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14
WHERE EXISTS (
    SELECT FROM sessions WHERE scope_id = $1 AND id = $2 AND deleted_at IS NULL
)
ON CONFLICT DO NOTHING RETURNING 1
"""
GO_ON: Final = """
UPDATE readings SET (number, size, lines, open_line, latest_at, counts, models, versions,
    folders, branches, problem, read_at)
    = ($4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, clock_timestamp())
WHERE scope_id = $1 AND session = $2 AND file = $3
    AND (number, size, lines) = ($15, $16, $17)
RETURNING 1
"""
MESSAGES: Final = """
INSERT INTO messages (
    scope_id, session, file, line, start, length, kind, subtype, role, uuid, parent, sidechain,
    agent_id, at, timed, model, text, thinking, tools, search
)
SELECT $1, $2, $3, u.line, u.start, u.length, u.kind, u.subtype, u.role, u.uuid, u.parent,
    u.sidechain, u.agent_id, u.at, u.timed, u.model, u.text, u.thinking, u.tools::jsonb,
    u.search::tsvector
FROM unnest(
    $4::bigint[], $5::bigint[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::boolean[], $13::text[], $14::timestamptz[], $15::boolean[], $16::text[],
    $17::text[], $18::text[], $19::text[], $20::text[]
) AS u(
    line, start, length, kind, subtype, role, uuid, parent, sidechain, agent_id, at, timed, model,
    text, thinking, tools, search
)
"""
USAGE: Final = """
INSERT INTO token_usage AS t (
    scope_id, session, file, key, line, at, model, input, output, cache_creation,
    cache_creation_1h, cache_read
)
SELECT $1, $2, $3, u.*
FROM unnest(
    $4::text[], $5::bigint[], $6::timestamptz[], $7::text[], $8::bigint[], $9::bigint[],
    $10::bigint[], $11::bigint[], $12::bigint[]
) AS u
ON CONFLICT (scope_id, session, file, key) DO UPDATE SET (
    line, at, model, input, output, cache_creation, cache_creation_1h, cache_read
) = (
    excluded.line, excluded.at, excluded.model, excluded.input, excluded.output,
    excluded.cache_creation, excluded.cache_creation_1h, excluded.cache_read
)
"""
COUNT: Final = """
WITH ranked AS (
    SELECT session, file, key, 1 = row_number() OVER (
        PARTITION BY key ORDER BY at DESC NULLS LAST, output DESC, session, file
    ) AS wins
    FROM token_usage WHERE scope_id = $1 AND key = ANY($2::text[])
)
UPDATE token_usage t SET counted = r.wins FROM ranked r
WHERE t.scope_id = $1 AND t.session = r.session AND t.file = r.file AND t.key = r.key
    AND t.counted <> r.wins
"""
