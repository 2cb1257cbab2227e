"""Loaders shared by fields, of which one gives up."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from graph.dataloader import DataLoader


async def test_who_gives_up_takes_nothing_from_others() -> None:
    asked: list[list[int]] = []

    async def squares(keys: Sequence[int]) -> list[int]:
        asked.append(list(keys))
        await asyncio.sleep(0.01)
        return [key * key for key in keys]

    loader: DataLoader[int, int] = DataLoader(squares)
    giving_up = asyncio.ensure_future(loader.load(3))
    staying, another = loader.load(3), loader.load(4)
    giving_up.cancel()
    assert [await staying, await another] == [9, 16]
    with pytest.raises(asyncio.CancelledError):
        await giving_up
    assert asked == [[3, 4]]
