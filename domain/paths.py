"""Names of the further files of a session: what can be restored anywhere, and nothing else."""

from __future__ import annotations

from typing import Final

from domain.errors import Invalid

FILES_MAX: Final = 10_000
"""Further files of one session."""
PATH_BYTES: Final = 512
PART_BYTES: Final = 200
PARTS_MAX: Final = 8
_NOT_EVERYWHERE: Final = frozenset('\\:*?"<>|')


def check_path(path: str) -> None:
    """Raises Invalid unless `path` is relative, clean and short: `subagents/agent-1.jsonl`."""
    parts = path.split("/")
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise Invalid.at("path", "must not contain a lone surrogate") from None
    if size > PATH_BYTES or len(parts) > PARTS_MAX:
        raise Invalid.at("path", f"must have at most {PATH_BYTES} bytes in {PARTS_MAX} parts")
    for part in parts:
        if not part or part.endswith((".", " ")) or part.startswith(" "):
            raise Invalid.at("path", "must not have empty, '.' or '..' parts, nor blanks at an end")
        if len(part.encode()) > PART_BYTES:
            raise Invalid.at("path", f"must not have parts of more than {PART_BYTES} bytes")
    if not path.isprintable() or _NOT_EVERYWHERE & set(path):
        raise Invalid.at("path", 'must not have control characters nor any of \\ : * ? " < > |')
