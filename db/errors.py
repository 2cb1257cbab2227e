"""What can be wrong with the database itself, as opposed to with what it was asked."""


class DatabaseUnavailableError(Exception):
    """PostgreSQL cannot be reached, is starting up or shutting down: try again shortly."""


class DatabaseFullError(Exception):
    """PostgreSQL has no room to write; reads go on."""


class NotAMemberError(Exception):
    """The account no longer belongs to a scope that it was about to write to."""


class DuplicateError(Exception):
    """A row with the same unique key exists. `constraint` is the name of the violated one."""

    def __init__(self, constraint: str) -> None:
        super().__init__(constraint)
        self.constraint = constraint


class StorageUnavailableError(Exception):
    """The place where conversations are kept does not answer: try again shortly."""


class StorageFullError(Exception):
    """The place where conversations are kept has no room to write; reads go on."""


class BlockMissingError(Exception):
    """A block that a conversation is made of is not in the store."""


class BlockDamagedError(Exception):
    """A stored block is not what its digest says; it must not be given to anybody."""
