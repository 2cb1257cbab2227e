"""What all rows that somebody wrote into a scope have in common."""

from __future__ import annotations

from uuid import UUID


class Authored:
    """A row with an author, private to it or shared with a team."""

    __slots__ = ()
    scope_id: UUID
    author_id: UUID

    @property
    def team_id(self) -> UUID | None:
        """The team it is shared with; None for a private one."""
        return None if self.scope_id == self.author_id else self.scope_id
