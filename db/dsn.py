"""Connection strings: what operators write, turned into what the driver takes."""

from __future__ import annotations

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

_SCHEMES = {"postgres", "postgresql", "postgresql+asyncpg"}
_UNDERSTOOD = {"host", "port", "ssl", "target_session_attrs"}
# Wishes about libpq itself that have no bearing here: the server sets its own name and time limits,
# and asyncpg always binds the channel where both sides can.
_IGNORED = {"application_name", "channel_binding", "connect_timeout", "gssencmode", "pgbouncer"}
_ELSEWHERE = {"sslrootcert": "PGSSLROOTCERT", "sslcert": "PGSSLCERT", "sslkey": "PGSSLKEY"}


class DsnError(ValueError):
    """DATABASE_URL is not an address that the server can connect to. Never holds the password."""


def to_asyncpg_url(dsn: str) -> URL:
    """Return the SQLAlchemy URL for `postgres://`, `postgresql://` or `postgresql+asyncpg://`.

    libpq's `sslmode` becomes asyncpg's `ssl`; `host=/folder` (a unix socket) is kept. Raises
    DsnError for another scheme and for a parameter that would silently be lost.
    """
    try:
        url = make_url(dsn)
    except (ArgumentError, ValueError):
        raise DsnError("DATABASE_URL is not a URL such as postgresql://user:pass@host/db") from None
    if url.drivername not in _SCHEMES:
        raise DsnError(f"DATABASE_URL starts with {url.drivername}://, expected postgresql://")
    query = {name: value for name, value in url.query.items() if name not in _IGNORED}
    if "sslmode" in query:
        query["ssl"] = query.pop("sslmode")
    for name in query.keys() - _UNDERSTOOD:
        advice = f"; set {_ELSEWHERE[name]} instead" if name in _ELSEWHERE else ""
        raise DsnError(f"DATABASE_URL has the unknown parameter {name!r}{advice}")
    return url.set(drivername="postgresql+asyncpg", query=query)


def to_libpq_dsn(dsn: str) -> str:
    """Return `dsn` as plain `postgresql://…`, for `asyncpg.connect` and command-line tools.

    Raises DsnError like `to_asyncpg_url`.
    """
    url = to_asyncpg_url(dsn)
    query = dict(url.query)
    if "ssl" in query:
        query["sslmode"] = query.pop("ssl")
    plain = url.set(drivername="postgresql", query=query)
    return plain.render_as_string(hide_password=False)
