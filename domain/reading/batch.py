"""What is collected from lines until it is worth a transaction."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from typing import Final
from uuid import UUID

from db.reading_store import Progress
from domain.reading import records, words
from domain.reading.lines import Line
from domain.reading.records import Message, Record, Usage

ROWS: Final = 1000
WEIGHT: Final = 2_000_000
"""Characters of text and terms."""
NAMES_MAX: Final = 64
SYNTHETIC: Final = "<synthetic>"
"""The model that Claude Code names for what no model said."""


class Batch:
    """Rows and the progress that they amount to."""

    def __init__(self, scope_id: UUID, progress: Progress) -> None:
        self._tag = words.tag(scope_id)
        self.progress = progress
        self.messages: list[Message] = []
        self.usage: dict[str, Usage] = {}
        self._weight = 0

    @property
    def is_full(self) -> bool:
        """Whether it should be written before more is taken."""
        return len(self.messages) >= ROWS or self._weight >= WEIGHT

    def take(self, lines: Iterator[Line]) -> bool:
        """Take lines until there are no more or it is full; whether it is full."""
        for line in lines:
            self._line(line)
            if self.is_full:
                return True
        return False

    def take_open(self, line: Line) -> None:
        """Take a last line that has no end yet, if it is whole; else it waits for the rest."""
        progress = self.progress
        if progress.open_line or not line.is_whole:
            return
        record = self._record(line, progress.lines + 1)
        if record is not None and record.message.kind != records.BROKEN:
            self._keep(record)
            progress.lines += 1
            progress.open_line = True
            progress.size = line.offset + line.length

    def flushed(self) -> Progress:
        """Forget the rows, which are written; the progress that they came to."""
        done = deepcopy(self.progress)
        self.messages, self.usage, self._weight = [], {}, 0
        return done

    def _line(self, line: Line) -> None:
        progress = self.progress
        progress.size = line.offset + line.length + 1
        if progress.open_line:  # the end of a line that was taken before
            progress.open_line = False
            return
        progress.lines += 1
        if (record := self._record(line, progress.lines)) is not None:
            self._keep(record)

    def _record(self, line: Line, number: int) -> Record | None:
        if line.length == 0 or (line.is_whole and line.data.isspace()):
            return None
        return records.read(line, number, self.progress.latest_at, self._tag)

    def _keep(self, record: Record) -> None:
        message, usage, extra = record
        self.messages.append(message)
        self._weight += len(message.text or "") + len(message.tools or "") + len(message.search)
        if usage is not None:
            self.usage[usage.key] = usage
        progress = self.progress
        counts = progress.counts
        if message.kind in counts or len(counts) < NAMES_MAX:
            counts[message.kind] = counts.get(message.kind, 0) + 1
        progress.latest_at = message.at
        _note(progress.models, message.model if message.model != SYNTHETIC else None)
        _note(progress.versions, extra.version)
        _note(progress.folders, extra.cwd)
        _note(progress.branches, extra.git_branch)


def _note(names: list[str], name: str | None) -> None:
    if name is not None and name not in names and len(names) < NAMES_MAX:
        names.append(name)
