"""What knowledge never carries: secrets, and absolute paths of somebody's machine.

Nothing is dropped: secrets are masked, paths made relative, and a notice says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from domain.entries import EntryChange, EntryFields, Notice
from domain.redaction import redact, suspected
from domain.secret_kinds import KINDS, Kind

FieldsT = TypeVar("FieldsT", EntryFields, EntryChange)
KEPT_PARTS = 3
"""How much of a path stays of which nobody knows where its project begins."""

_TAG_MAX = 50
_TOGETHER = 256 * 1024
"""Characters: so many that entries have most words in common, and no large text."""
_ABSOLUTE = re.compile(r"^(?:file:/{1,3}|/|~[^/\\]*[/\\]|[A-Za-z]:[/\\]|\\\\)")
_HOMES = {"home", "Users", "users"}


def screened(
    given: FieldsT, project: str | None = None, among: Sequence[Kind] = KINDS
) -> tuple[FieldsT, tuple[Notice, ...]]:
    """`given` as it may be stored, and what had to be changed.

    `project` is that of the entry where `given` has none of its own; `among` are the secrets that
    may occur.
    """
    if among:
        among = suspected("\n".join(_texts(given)), among)
    if not among and not any(map(_ABSOLUTE.match, given.related_files or ())):
        return given, ()
    notices: list[Notice] = []
    changed: dict[str, Any] = {}
    for name, wire in (("summary", "summary"), ("details", "details")):
        text = getattr(given, name)
        if text is not None and (masked := _masked(text, (wire,), notices, among)) != text:
            changed[name] = masked
    for name, wire, clean in (("tags", "tags", _tag), ("related_files", "relatedFiles", _file)):
        items = getattr(given, name) or ()
        about = getattr(given, "project", None) or project
        kept = tuple(clean(item, about, (wire, i), notices, among) for i, item in enumerate(items))
        if kept != tuple(items):
            changed[name] = kept
    return (given.model_copy(update=changed) if changed else given), tuple(notices)


def screened_all(
    given: Sequence[EntryFields],
) -> Iterator[tuple[EntryFields, tuple[Notice, ...]]]:
    """Each of many entries as `screened` has it; several at once are looked through for marks."""
    for some in _groups(given):
        among = suspected("\n".join(text for entry in some for text in _texts(entry)))
        for entry in some:
            yield screened(entry, among=among)


def _groups(given: Sequence[EntryFields]) -> Iterator[list[EntryFields]]:
    group: list[EntryFields] = []
    size = 0
    for entry in given:
        group.append(entry)
        size += sum(map(len, _texts(entry)))
        if size >= _TOGETHER:
            yield group
            group, size = [], 0
    yield group


def _texts(given: EntryFields | EntryChange) -> list[str]:
    texts = [text for text in (given.summary, given.details) if text]
    return [*texts, *(given.tags or ()), *(given.related_files or ())]


def cleaned_tags(tags: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """Tags to be added, without secrets."""
    notices: list[Notice] = []
    cleaned = tuple(_tag(t, None, ("add", i), notices, KINDS) for i, t in enumerate(tags))
    return cleaned, tuple(notices)


def _masked(
    text: str, path: tuple[str | int, ...], notices: list[Notice], among: Sequence[Kind]
) -> str:
    if not among:
        return text
    found = redact(text, among)
    if found.kinds:
        notices.append(Notice(path, f"a secret was masked ({', '.join(found.kinds)})"))
    return found.text


def _tag(
    tag: str,
    _about: str | None,
    path: tuple[str | int, ...],
    notices: list[Notice],
    among: Sequence[Kind],
) -> str:
    return _masked(tag, path, notices, among)[:_TAG_MAX]


def _file(
    file: str,
    about: str | None,
    path: tuple[str | int, ...],
    notices: list[Notice],
    among: Sequence[Kind],
) -> str:
    masked = _masked(file, path, notices, among)
    if not _ABSOLUTE.match(masked):
        return masked
    notices.append(Notice(path, "an absolute path was made relative"))
    return relative(masked, about)


def relative(path: str, project: str | None) -> str:
    """What of an absolute path is below the project's folder, else its last parts."""
    parts = list(_parts(path))
    folder = list(_parts(project or ""))[-1:]
    if folder and folder[0] in parts[:-1]:
        below = parts[parts.index(folder[0]) + 1 :]
        return "/".join(below)
    if parts[:1] and parts[0] in _HOMES and len(parts) > 2:
        parts = parts[2:]
    elif parts[:1] == ["root"] and len(parts) > 1:
        parts = parts[1:]
    return "/".join(parts[-KEPT_PARTS:]) or "."


def _parts(path: str) -> Iterator[str]:
    """The names on the way, without drive, scheme and home."""
    bare = re.sub(r"^(?:file:/{1,3}|~[^/\\]*|[A-Za-z]:)", "", path)
    return (part for part in re.split(r"[/\\]+", bare) if part not in {"", ".", ".."})
