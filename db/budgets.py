"""Points that somebody may spend in a window of time, counted for all servers of one database."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import BigInteger, Double, LargeBinary, bindparam, text

from db.engine import Connection


class Window(NamedTuple):
    """A window of somebody's: what of it is taken, and for how long it lasts."""

    used: int
    seconds: float


_OPEN = text(
    """
    INSERT INTO budgets AS b (key, ends, used)
    VALUES (:key, clock_timestamp() + :seconds * interval '1 second', 0)
    ON CONFLICT (key) DO UPDATE SET
        ends = CASE WHEN b.ends <= clock_timestamp() THEN excluded.ends ELSE b.ends END,
        used = CASE WHEN b.ends <= clock_timestamp() THEN 0 ELSE b.used END
    RETURNING b.used, extract(epoch FROM b.ends - clock_timestamp())::float8 AS seconds
    """
).bindparams(bindparam("key", type_=LargeBinary), bindparam("seconds", type_=Double))


async def open_window(connection: Connection, key: bytes, seconds: float) -> Window:
    """The window that is open, or a new one of so many seconds; locked until commit."""
    row = (await connection.execute(_OPEN, {"key": key, "seconds": seconds})).one()
    return Window(row.used, row.seconds)


_TAKE = text("UPDATE budgets SET used = used + :points WHERE key = :key").bindparams(
    bindparam("key", type_=LargeBinary), bindparam("points", type_=BigInteger)
)


async def take(connection: Connection, key: bytes, points: int) -> None:
    """Take points of the window that was opened in this transaction."""
    await connection.execute(_TAKE, {"key": key, "points": points})


_FORGET = text("DELETE FROM budgets WHERE ends < clock_timestamp() - interval '1 minute'")


async def forget(connection: Connection) -> int:
    """Delete windows that ended; how many."""
    return (await connection.execute(_FORGET)).rowcount
