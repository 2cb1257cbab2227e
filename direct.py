"""Answers from the callbacks of the protocol, where the application can: no task, no ASGI.

A small POST to the application's `at_once_path` is shown to its `at_once` before a task is made for
it. What that does not take goes the ordinary way, as does what it took and could not answer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeAlias, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

BODY_BYTES = 64 * 1024
_DIGITS = len(str(BODY_BYTES))
_logger = logging.getLogger(__name__)


class Answered(NamedTuple):
    """A whole answer, with the status 200."""

    headers: Sequence[tuple[bytes, bytes]]
    body: bytes


Answer: TypeAlias = Callable[[Answered | None], None]
"""Called once, in a later turn of the loop; with None the request goes the ordinary way."""


class Asked(Protocol):
    """What is being answered."""

    def leave(self) -> None:
        """Nobody waits for it any more."""
        ...  # pragma: no cover


AtOnce: TypeAlias = Callable[[Scope, bytes, Answer], Asked | None]
"""Takes a request with its body, or says None and does nothing."""


class DirectProtocol(HttpToolsProtocol):
    """uvicorn's protocol for an application that may have such an `at_once`."""

    _beginning = False
    _held: tuple[RequestResponseCycle, Any] | None = None
    """A request whose head has come, and whose body has to be small."""
    _asked: Asked | None = None

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._at_once: AtOnce | None = getattr(self.config.app, "at_once", None)
        self._path: str | None = getattr(self.config.app, "at_once_path", None)

    def on_headers_complete(self) -> None:
        """A head: wait for its body, if none is being answered that came before."""
        self._beginning = True
        super().on_headers_complete()
        self._beginning = False

    def on_message_complete(self) -> None:
        """A whole request."""
        super().on_message_complete()
        held, self._held = self._held, None
        if held is not None and not self._taken(*held):
            super()._start_asgi_task(*held)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever asked does not wait."""
        super().connection_lost(exc)
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.leave()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        if self._beginning and self._is_small(cycle):
            self._held = cycle, app
        else:
            super()._start_asgi_task(cycle, app)

    def _is_small(self, cycle: RequestResponseCycle) -> bool:
        scope = cycle.scope
        if scope["path"] != self._path or scope["method"] != "POST":
            return False
        if not cycle.keep_alive or cycle.waiting_for_100_continue:
            return False
        size = next((value for name, value in scope["headers"] if name == b"content-length"), b"")
        return 0 < len(size) <= _DIGITS and int(size) <= BODY_BYTES

    def _taken(self, cycle: RequestResponseCycle, app: Any) -> bool:
        if self._at_once is None or self.flow.write_paused:
            return False
        answer = partial(self._answered, cycle, app)
        try:
            self._asked = self._at_once(cast(Scope, cycle.scope), bytes(cycle.body), answer)
        except Exception:
            _logger.exception("A request could not be answered at once")
        return self._asked is not None

    def _answered(self, cycle: RequestResponseCycle, app: Any, answered: Answered | None) -> None:
        self._asked = None
        if cycle.disconnected or self.transport.is_closing():
            return
        if answered is None:
            super()._start_asgi_task(cycle, app)
            return
        content = [b"HTTP/1.1 200 OK\r\n"]
        for name, value in (*cycle.default_headers, *answered.headers):
            content += (name, b": ", value, b"\r\n")
        content += (b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n", answered.body)
        self.transport.write(b"".join(content))
        cycle.response_started = cycle.response_complete = True
        if not cycle.keep_alive:
            self.transport.close()
        self.on_response_complete()
        cycle.on_response = _nothing  # which held the protocol


def _nothing() -> None:
    """Do nothing."""
