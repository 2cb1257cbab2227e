"""aiodataloader's loader, whose readers cannot cancel each other.

Fields that load the same key share one future. graphql-core cancels the siblings of a field that
failed; cancelling what they wait for would end other fields too, and the operation with them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from typing import TypeVar

import aiodataloader

KeyT = TypeVar("KeyT", bound=Hashable)
ValueT = TypeVar("ValueT")


class DataLoader(aiodataloader.DataLoader[KeyT, ValueT]):
    """Batches and remembers what is loaded within one operation."""

    def load(self, key: KeyT) -> asyncio.Future[ValueT]:
        """The value of a key, for this reader alone to give up."""
        return asyncio.shield(super().load(key))
