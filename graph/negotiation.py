"""Which kind of answer a client takes, by its Accept header."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from graph import sse

MODERN, LEGACY = "application/graphql-response+json", "application/json"


class Rejected(Exception):  # noqa: N818 - it is an answer
    """The HTTP request is no GraphQL request."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.headers = status, message, dict(headers or {})


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the client takes: its favourite of the two kinds of JSON, and events or not."""

    json: str | None = LEGACY
    events: bool = False


def accepted(header: str | None) -> Accepted:
    """What the client takes. Raises Rejected (406)."""
    if not header:
        return Accepted()
    wishes: dict[str, float] = {}
    for part in header.lower().split(","):
        name, *parameters = (piece.strip() for piece in part.split(";"))
        quality = next((p[2:] for p in parameters if p.startswith("q=")), "1")
        wishes[name] = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    fallback = wishes.get("application/*", wishes.get("*/*", 0.0))
    modern, legacy = wishes.get(MODERN, 0.0), wishes.get(LEGACY, fallback)
    events = wishes.get(sse.MEDIA_TYPE, 0.0) > 0
    if max(modern, legacy) > 0:
        return Accepted(MODERN if modern >= legacy else LEGACY, events)
    if not events:
        raise Rejected(406, f"This endpoint answers in {MODERN}, {LEGACY} or {sse.MEDIA_TYPE}")
    return Accepted(None, events)
