"""Finding knowledge: words of any script, identifiers, typos; pins and stars."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# Scripts written without spaces between words (and Hangul, whose particles stick to the words).
_UNSPACED = (
    r"\u0E00-\u0EFF\u0F40-\u0FBC\u1000-\u109F\u1780-\u17D3\u1950-\u19DF\u1A20-\u1AAF\u2E80-\u2FDF"
    r"\u3005-\u3007\u3031-\u9FFF\uA9E0-\uA9FE\uAA60-\uAA7F\uAC00-\uD7AF\uF900-\uFAFF"
    r"\U00020000-\U0003134F"
)
_EMOJI = r"\u2600-\u27BF\u2B00-\u2BFF\U0001F000-\U0001FAFF"
# Points and accents that some people write and others leave out.
_POINTS = r"\u0300-\u036F\u0591-\u05BD\u05BF\u05C1\u05C2\u05C4\u05C5\u05C7\u0640\u064B-\u065F\u0670"
# What PostgreSQL's parser takes for letters in a database with the C locale.
_BETWEEN = (
    r"\u0001-\u002F\u003A-\u0040\u005B-\u0060\u007B-\u00A9\u00AB-\u00B4\u00B6-\u00B9\u00BB-\u00BF"
    r"\u00D7\u00F7\u055A-\u055F\u0589\u05BE\u05C0\u05C3\u05F3\u05F4\u060C\u061B\u061F\u066A-\u066D"
    r"\u06D4\u0964\u0965\u104A-\u104F\u1361-\u1368\u17D4-\u17DA\u2000-\u206F\u20A0-\u20CF"
    r"\u2190-\u2BFF\u3000-\u3004\u3008-\u3030\u30FB\uFE00-\uFE0F\uFFFC\uFFFD"
    r"\U0001F000-\U0001FAFF"
)
# No query has this lexeme: phrases do not run on from one vector into the next.
_GAP = "'|:2'::tsvector"
# Besides 'russian', which stems Latin letters as English and Cyrillic ones as Russian.
_STEMMED = {
    "arabic": r"\u0600-\u06FF",
    "greek": r"\u0370-\u03FF",
    "hindi": r"\u0900-\u097F",
}


def _stems(function: str, empty: str) -> str:
    return " || ".join(
        f"CASE WHEN t ~ '[{letters}]' THEN "
        f"{function}('{name}', regexp_replace(t, '[^{letters}]+', ' ', 'g')) ELSE ''::{empty} END"
        for name, letters in _STEMMED.items()
    )


def _function(name: str, arguments: str, result: str, body: str) -> str:
    return (
        f"CREATE FUNCTION {name}({arguments}) RETURNS {result} "
        f"LANGUAGE sql IMMUTABLE PARALLEL SAFE BEGIN ATOMIC SELECT {body}; END"
    )


def _letters() -> tuple[str, str]:
    """Letters of alphabets that pg_trgm may not know, and a Latin letter or digit for each."""
    ranges = (
        (0x430, 0x45F), (0x490, 0x4FF), (0x3AC, 0x3CE), (0x561, 0x587), (0x5D0, 0x5EA),
        (0x620, 0x64A), (0x671, 0x6D3), (0x904, 0x94D), (0xE01, 0xE4E), (0x10D0, 0x10FA),
        (0x1100, 0x1112), (0x1161, 0x1175), (0x11A8, 0x11C2),
    )  # fmt: skip
    points = [point for first, last in ranges for point in range(first, last + 1)]
    latin = "abcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(map(chr, points)), "".join(latin[point % 36] for point in points)


FUNCTIONS = (
    _function(
        "teamlore_fold",
        "t text",
        "text",
        r"CASE WHEN t ~ '[^\u0001-\u007F]' THEN "
        rf"normalize(regexp_replace(normalize(t, NFKD), '[{_POINTS}]', '', 'g'), NFKC) "
        "ELSE t END",
    ),
    # The words of identifiers, paths and versions, without their punctuation.
    _function(
        "teamlore_parts",
        "t text",
        "text",
        r"regexp_replace(regexp_replace(regexp_replace(regexp_replace("
        rf"teamlore_fold(t), '[{_BETWEEN}{_UNSPACED}]+', ' ', 'g'), "
        r"'([a-z0-9])([A-Z])', '\1 \2', 'g'), '([A-Z])([A-Z][a-z])', '\1 \2', 'g'), "
        r"'\m[vV](\d)', '\1', 'g')",
    ),
    # Every pair of neighbours in scripts without spaces, and each run's first and last alone.
    _function(
        "teamlore_pairs",
        "t text",
        "tsvector",
        rf"CASE WHEN t ~ '[{_UNSPACED}]' THEN to_tsvector('simple', "
        rf"regexp_replace(r, '([{_UNSPACED}]{{1,2}})', '\1 ', 'g') || ' ' || regexp_replace("
        rf"regexp_replace(r, '(^|[^{_UNSPACED}])([{_UNSPACED}])', '\1\2 ', 'g'), "
        rf"'([{_UNSPACED}]{{1,2}})', '\1 ', 'g')) ELSE ''::tsvector END "
        rf"FROM (SELECT regexp_replace(teamlore_fold(t), '[^{_UNSPACED}]+', ' ', 'g')) AS x(r)",
    ),
    _function(
        "teamlore_emoji",
        "t text",
        "tsvector",
        rf"CASE WHEN t ~ '[{_EMOJI}]' THEN (SELECT to_tsvector('simple', string_agg("  # noqa: S608 - ours
        rf"'xe' || to_hex(ascii(m[1])), ' ')) FROM regexp_matches(t, '([{_EMOJI}])', 'g') AS m) "
        "ELSE ''::tsvector END",
    ),
    _function(
        "teamlore_vector",
        "t text",
        "tsvector",
        f"to_tsvector('simple', teamlore_parts(t)) || {_GAP} || "
        rf"to_tsvector('russian', regexp_replace(t, '[{_UNSPACED}]+', ' ', 'g')) || "
        f"{_stems('to_tsvector', 'tsvector')} || teamlore_pairs(t) || teamlore_emoji(t) || {_GAP}",
    ),
    # All lexemes of a vector; those of two characters are whole, single ones begin a pair.
    _function(
        "teamlore_all",
        "v tsvector",
        "tsquery",
        "coalesce((SELECT string_agg(quote_literal(l) || ':*', ' & ')::tsquery "
        "FROM unnest(tsvector_to_array(v)) AS l), ''::tsquery)",
    ),
    # A phrase of parts; unless it was quoted, its last word may go on.
    _function(
        "teamlore_phrase",
        "t text, quoted boolean",
        "tsquery",
        "CASE WHEN NOT quoted AND length(regexp_replace(rtrim(p), '^.*\\s', '')) >= "
        "CASE WHEN p ~ '[^\\u0001-\\u007F]' THEN 2 ELSE 3 END AND numnode(q) > 0 "
        "THEN (q::text || ':*')::tsquery ELSE q END "
        "FROM (SELECT p, phraseto_tsquery('simple', p) FROM "
        "(SELECT teamlore_parts(t)) AS y(p)) AS x(p, q)",
    ),
    # A phrase, or the word's stem; the parts of an identifier are never stemmed or left out.
    _function(
        "teamlore_term",
        "t text, quoted boolean",
        "tsquery",
        "(teamlore_phrase(t, quoted) || "
        "CASE WHEN quoted OR numnode(teamlore_phrase(t, true)) > 1 THEN ''::tsquery ELSE "
        rf"plainto_tsquery('russian', regexp_replace(t, '[{_UNSPACED}]+', ' ', 'g')) || "
        f"{_stems('plainto_tsquery', 'tsquery')} END) && "
        "teamlore_all(teamlore_pairs(t)) && teamlore_all(teamlore_emoji(t))",
    ),
    # Alternatives of terms that all have to match. Stop words count only among themselves.
    _function(
        "teamlore_query",
        "terms text[], quoted boolean[], negated boolean[], alternatives integer[]",
        "tsquery",
        "coalesce((SELECT string_agg('(' || every || ')', ' | ')::tsquery FROM ("
        "SELECT string_agg(CASE WHEN n THEN '!(' ELSE '(' END || q::text || ')', ' & ') AS every "
        "FROM (SELECT q, n, a, stop, bool_and(stop) OVER () AS nothing_else FROM ("
        "SELECT teamlore_term(t, p) AS q, n, a, NOT p AND NOT n AND t ~ '^[A-Za-z]+$' AND "
        "numnode(plainto_tsquery('english', t)) = 0 AS stop "
        "FROM unnest(terms, quoted, negated, alternatives) AS w(t, p, n, a)) AS x) AS y "
        "WHERE numnode(q) > 0 AND (nothing_else OR NOT stop) GROUP BY a) AS z), ''::tsquery)",
    ),
    # Letters of any alphabet as Latin ones: with the C locale pg_trgm sees no others.
    _function(
        "teamlore_fuzzy",
        "t text",
        "text",
        "CASE WHEN t ~ '[^\\u0001-\\u007F]' THEN translate(lower("
        f"normalize(teamlore_fold(t), NFKD)), '{_letters()[0]}', '{_letters()[1]}') "
        "ELSE lower(t) END",
    ),
)
SEARCH = (
    "setweight(teamlore_vector(summary), 'A') || "
    "setweight(teamlore_vector(teamlore_words(tags)), 'B') || "
    "setweight(teamlore_vector(coalesce(details, '')), 'C') || "
    "setweight(teamlore_vector("
    "(coalesce(project, '') || ' ') || teamlore_words(related_files)), 'D')"
)
FUZZY = "teamlore_fuzzy((summary || ' ') || teamlore_words(tags))"
# It is a trusted extension: the owner of a database may create it, where it is installed at all.
TRIGRAMS = """
DO $$ BEGIN
    CREATE EXTENSION IF NOT EXISTS pg_trgm;
    CREATE INDEX knowledge_fuzzy_idx ON knowledge USING gin (fuzzy gin_trgm_ops);
EXCEPTION WHEN insufficient_privilege OR undefined_file OR feature_not_supported THEN
    RAISE WARNING 'no extension pg_trgm: searches will not look past typos';
END $$
"""


def upgrade() -> None:
    for function in FUNCTIONS:
        op.get_bind().exec_driver_sql(function)
    op.drop_index("knowledge_search_idx", "knowledge")
    op.drop_column("knowledge", "search")
    op.add_column("knowledge", sa.Column("pinned_at", sa.DateTime(timezone=True)))
    for name, kind, expression in (
        ("search", postgresql.TSVECTOR(), SEARCH),
        ("fuzzy", sa.Text(), FUZZY),
    ):
        op.add_column("knowledge", sa.Column(name, kind, sa.Computed(expression, persisted=True)))
    op.create_index("knowledge_search_idx", "knowledge", ["search"], postgresql_using="gin")
    op.execute(TRIGRAMS)
    op.create_table(
        "stars",
        sa.Column("scope_id", sa.Uuid(), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["scope_id"], ["scopes.id"], name=op.f("stars_scope_id_fkey"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope_id", "entry_id", name=op.f("stars_pkey")),
    )


def downgrade() -> None:
    raise RuntimeError("words that were found would be lost: restore a backup instead")
