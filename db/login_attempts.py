"""Attempts to log in, counted exactly for all servers of one database.

Three counts are kept under digests: of an account from an address (the pair), of the account from
anywhere, of the address for any account. An attempt that the pair's limit refuses does not count
for the other two, so that nobody uses up somebody else's account from one address. Which pairs have
logged in before is remembered for a while: those are let in even when strangers have used up the
account's attempts (after the device cookies of OWASP).
"""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import ARRAY, BigInteger, Double, LargeBinary, bindparam, text

from db.engine import Connection
from db.rows import AnyRow


class Keys(NamedTuple):
    """Digests of who tries."""

    pair: bytes
    account: bytes
    address: bytes


class Count(NamedTuple):
    """Attempts in the window that is open, this one among them."""

    tries: int
    seconds: float
    """Until the window ends."""
    strikes: int
    """How often a limit was reached of late."""


class Attempt(NamedTuple):
    """One attempt's counts; `account` and `address` are None when the pair's limit refused it."""

    pair: Count
    known: bool
    account: Count | None
    address: Count | None


_COUNTED = """
    ON CONFLICT (key) DO UPDATE SET
        ends = CASE WHEN l.ends <= clock_timestamp() THEN excluded.ends ELSE l.ends END,
        tries = CASE WHEN l.ends <= clock_timestamp() THEN 1
            ELSE least(l.tries + 1, 2000000000) END,
        strikes = CASE WHEN l.ends + interval '1 day' <= clock_timestamp() THEN 0
            ELSE l.strikes END
    RETURNING l.key, l.tries, l.strikes,
        extract(epoch FROM l.ends - clock_timestamp())::float8 AS seconds,
        coalesce(l.known_until > clock_timestamp(), false) AS known
"""
_BEGIN = text(
    f"""
    WITH pair AS (
        INSERT INTO login_attempts AS l (key, ends, tries)
        VALUES (:pair, clock_timestamp() + :seconds * interval '1 second', 1)
        {_COUNTED}
    ), wide AS (
        INSERT INTO login_attempts AS l (key, ends, tries)
        SELECT w.key, clock_timestamp() + :seconds * interval '1 second', 1
        FROM pair CROSS JOIN unnest(:wide) AS w(key) WHERE pair.tries <= :most ORDER BY w.key
        {_COUNTED}
    )
    SELECT * FROM pair UNION ALL SELECT * FROM wide
    """  # noqa: S608 - the interpolated part is ours
).bindparams(
    bindparam("pair", type_=LargeBinary),
    bindparam("wide", type_=ARRAY(LargeBinary)),
    bindparam("seconds", type_=Double),
    bindparam("most", type_=BigInteger),
)


async def begin(connection: Connection, keys: Keys, seconds: float, most: int) -> Attempt:
    """Count an attempt; `most` is what the pair may try in a window of so many seconds."""
    wide = sorted((keys.account, keys.address))
    values = {"pair": keys.pair, "wide": wide, "seconds": seconds, "most": most}
    found = {row.key: row for row in await connection.execute(_BEGIN, values)}
    pair = found[keys.pair]
    return Attempt(
        _count(pair), pair.known, _maybe(found.get(keys.account)), _maybe(found.get(keys.address))
    )


def _maybe(row: AnyRow | None) -> Count | None:
    return None if row is None else _count(row)


def _count(row: AnyRow) -> Count:
    return Count(row.tries, row.seconds, row.strikes)


_STRIKE = text(
    """
    UPDATE login_attempts
    SET strikes = strikes + 1, ends = clock_timestamp() + :seconds * interval '1 second'
    WHERE key = :key
    """
).bindparams(bindparam("key", type_=LargeBinary), bindparam("seconds", type_=Double))


async def strike(connection: Connection, key: bytes, seconds: float) -> None:
    """Let a window whose limit was reached last so long from now on."""
    await connection.execute(_STRIKE, {"key": key, "seconds": seconds})


_PAIR_DONE = text(
    """
    UPDATE login_attempts SET tries = 0, strikes = 0,
        known_until = clock_timestamp() + :seconds * interval '1 second'
    WHERE key = :key
    """
).bindparams(bindparam("key", type_=LargeBinary), bindparam("seconds", type_=Double))
_WIDE_DONE = text(
    """
    WITH locked AS (
        SELECT key FROM login_attempts WHERE key = ANY(:wide) ORDER BY key FOR UPDATE
    )
    UPDATE login_attempts l SET tries = greatest(l.tries - 1, 0)
    FROM locked WHERE l.key = locked.key
    """
).bindparams(bindparam("wide", type_=ARRAY(LargeBinary)))


async def succeeded(connection: Connection, keys: Keys, known_seconds: float) -> None:
    """Take back what the attempt counted for, and remember that the pair has logged in."""
    await connection.execute(_PAIR_DONE, {"key": keys.pair, "seconds": known_seconds})
    await connection.execute(_WIDE_DONE, {"wide": sorted((keys.account, keys.address))})


_FORGET = text(
    """
    DELETE FROM login_attempts WHERE ends + interval '1 day' < clock_timestamp()
    AND coalesce(known_until < clock_timestamp(), true)
    """
)


async def forget(connection: Connection) -> int:
    """Delete what no longer matters; how many rows."""
    return (await connection.execute(_FORGET)).rowcount
