"""What can go wrong with the embedded PostgreSQL, said to the person who started the server."""


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot be used; the message says why and what to do."""
