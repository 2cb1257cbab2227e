"""What somebody who uploads expects, and what must hold for the upload to be kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from domain.content import Content
from domain.errors import Invalid, OffsetMismatch, PreconditionFailed


@dataclass(frozen=True, slots=True)
class Terms:
    """Conditions of an upload; where one does not hold, nothing is stored."""

    digest: bytes | None = None
    """The SHA-256 that the whole must have."""
    accepts: Callable[[Content | None], bool] | None = None
    """Whether the upload is meant for the version that is the head now (None: there is none)."""
    continues: tuple[Content | None] | None = None
    """The head that an upload was appended to, which must still be the head."""

    def check_head(self, head: Content | None) -> None:
        """Raises PreconditionFailed or OffsetMismatch unless `head` is what was expected."""
        if self.accepts is not None and not self.accepts(head):
            raise PreconditionFailed
        if self.continues is not None and self.continues != (head,):
            raise OffsetMismatch(head.size if head else 0)

    def check_content(self, content: Content) -> None:
        """Raises Invalid when the upload is not what its digest says."""
        if self.digest is not None and self.digest != content.digest:
            raise Invalid.at("Repr-Digest", "is not the digest of what arrived: send it again")


ANYTHING: Final = Terms()
