"""A transcript cut into lines with their places; of a line without end only the head is held."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

HEAD: Final = 64 * 1024
"""Bytes that are kept of a line that is too long to be read."""


class Line(NamedTuple):
    """One line without its end. `data` is valid until the next one is asked for."""

    offset: int
    length: int
    data: bytes | bytearray
    is_whole: bool
    """Whether `data` is all of it, not only its head."""


class Cutter:
    """Cuts blocks, fed in order, into lines; of an unfinished one it holds `line_max` bytes."""

    def __init__(self, offset: int, line_max: int) -> None:
        self._offset = offset
        self._line_max = line_max
        self._held = bytearray()
        self._length = 0
        self._is_whole = True

    def feed(self, block: bytes) -> Iterator[Line]:
        """The lines that `block` completes."""
        start = 0
        while (end := block.find(b"\n", start)) >= 0:
            if self._length == 0 and end - start <= self._line_max:
                line = Line(self._offset, end - start, block[start:end], True)
                self._offset += end - start + 1
                yield line
            else:
                self._hold(block, start, end)
                yield self._taken(1)
            start = end + 1
        self._hold(block, start, len(block))

    def rest(self) -> Line | None:
        """The unfinished line at the end; None when there is none."""
        return self._taken(0) if self._length else None

    def _hold(self, block: bytes, start: int, end: int) -> None:
        self._length += end - start
        if self._is_whole and self._length > self._line_max:
            self._is_whole = False
            self._held += memoryview(block)[start : min(end, start + HEAD)]
            del self._held[HEAD:]
        elif self._is_whole:
            self._held += memoryview(block)[start:end]

    def _taken(self, ends: int) -> Line:
        line = Line(self._offset, self._length, self._held, self._is_whole)
        self._offset += self._length + ends
        self._held, self._length, self._is_whole = bytearray(), 0, True
        return line
