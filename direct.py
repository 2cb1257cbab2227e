"""Answers from the callbacks of the protocol, where the application can: no parsing, task or ASGI.

A client sends the same head again and again: the same path, the same credential. The first one is
parsed as every request is, and the application says what it makes of it. Whoever sends those bytes
again at the beginning of a request, with its small body behind them, is answered without looking
into them. What the application does not take then goes the ordinary way, as does what it took and
could not answer.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple, Protocol, TypeAlias, cast

from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

BODY_BYTES: Final = 64 * 1024
HEAD_BYTES: Final = 8 * 1024
KEPT_HEADS: Final = 1024
"""Twice as many are known at most: those of late, and those before."""
AGAIN: Final = "teamlore.again"
"""In the extensions of a request's scope: what `Again` says of it."""
_END = b"\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\n"
_SAID_BY_PROTOCOL = {b"transfer-encoding", b"expect", b"upgrade"}
_DIGITS_MAX = 8
_logger = logging.getLogger(__name__)


class Answered(NamedTuple):
    """A whole answer, with the status 200."""

    head: bytes
    """Its header lines but for the length of the body."""
    body: bytes


class Again(NamedTuple):
    """It has to go the ordinary way after all."""

    known: Any
    """What is known of it by now."""


Answer: TypeAlias = Callable[[Answered | Again], None]
"""Called once, in a later turn of the loop."""


class Asked(Protocol):
    """What is being answered."""

    def leave(self) -> None:
        """Nobody waits for it any more."""
        ...  # pragma: no cover


class AtOnce(ABC):
    """What an application answers so."""

    path: str
    """Where its requests are POSTed to."""

    def __init__(self) -> None:
        self.begins = f"POST {self.path} HTTP/1.1\r\n".encode()
        self.heads = _Heads()
        self._said: tuple[object, bytes] = (None, b"")

    @abstractmethod
    def head(self, scope: Scope) -> object | None:
        """What is to be kept of a request's head; None if such requests go the ordinary way."""

    @abstractmethod
    def ask(self, head: Any, body: bytes, answer: Answer) -> Asked | None:
        """Take a request, or say None and do nothing."""

    def rendered(self, headers: list[tuple[bytes, bytes]]) -> bytes:
        """uvicorn's own header lines, which stay the same list for a second."""
        if self._said[0] is not headers:
            lines = [b"%b: %b\r\n" % header for header in headers]
            self._said = headers, _OK + b"".join(lines)
        return self._said[1]


@dataclass(frozen=True, slots=True)
class _Head:
    """A head that was parsed before."""

    length: int
    """The bytes of the body."""
    said: object
    """What the application made of it."""


class _Heads:
    """The latest of them by their digest, so that no credential is kept; the oldest go at once."""

    def __init__(self) -> None:
        self._late: dict[bytes, _Head] = {}
        self._before: dict[bytes, _Head] = {}

    def known(self, key: bytes) -> _Head | None:
        head = self._late.get(key)
        if head is None and (head := self._before.get(key)) is not None:
            self.keep(key, head)
        return head

    def keep(self, key: bytes, head: _Head) -> None:
        if len(self._late) >= KEPT_HEADS:
            self._before, self._late = self._late, {}
        self._late[key] = head


class DirectProtocol(HttpToolsProtocol):
    """uvicorn's protocol for an application that may have such an `at_once`."""

    _between = True
    """Whether all that came was whole requests."""
    _parsing: bytes | None = None
    """A head that is parsed just now, if that is all of it."""
    _held = b""
    """The head, and perhaps some of the body, of a request whose head is known."""
    _later = b""
    """What came while a request was being answered."""
    _asked: Asked | None = None
    _known: Any = None
    _ending = False
    _host = b""
    _used = 0.0
    """When an answer went out, by the loop's clock."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._at_once: AtOnce | None = getattr(self.config.app, "at_once", None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Somebody's connection."""
        super().connection_made(cast(asyncio.Transport, transport))
        self._host = self.client[0].encode()[:64] if self.client else b""

    def data_received(self, data: bytes) -> None:
        """Some of a request, or of several."""
        if self._asked is not None:
            self._wait(data)
            return
        data, self._held = self._held + data if self._held else data, b""
        if self._at_once is None or not self._is_idle or not self._taken(self._at_once, data):
            super().data_received(data)

    def on_message_begin(self) -> None:
        """A request, to be parsed."""
        self._between = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """A head: remember it, if it is all that was to be parsed."""
        parsing, self._parsing = self._parsing, None
        if self._known is not None:
            self.scope.setdefault("extensions", {})[AGAIN] = self._known
            self._known = None
        super().on_headers_complete()
        if parsing is not None and self._at_once is not None:
            self._remember(self._at_once, parsing)

    def on_message_complete(self) -> None:
        """A whole request."""
        self._between = True
        super().on_message_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever asked does not wait."""
        super().connection_lost(exc)
        asked, self._asked = self._asked, None
        if asked is not None:
            asked.leave()

    def shutdown(self) -> None:
        """Close the connection, after the answer that is on its way."""
        if self._asked is None:
            super().shutdown()
        else:
            self._ending = True

    def timeout_keep_alive_handler(self) -> None:
        """Close the connection, unless it was used meanwhile."""
        quiet = self.loop.time() - self._used
        if self._asked is None and not self._held and quiet >= self.timeout_keep_alive:
            super().timeout_keep_alive_handler()
        else:
            self._close_later()

    @property
    def _is_idle(self) -> bool:
        """Whether nothing is being parsed or answered, so that a request begins with what comes."""
        if not self._between or self.flow.write_paused or self.transport.is_closing():
            return False
        cycle: Any = self.cycle
        return cycle is None or cycle.response_complete

    def _taken(self, at_once: AtOnce, data: bytes) -> bool:
        end = data.find(_END)
        if not 0 <= end <= HEAD_BYTES or not data.startswith(at_once.begins):
            return False
        head = at_once.heads.known(self._key(data[:end]))
        if head is None:
            self._parsing = data[:end]
            return False
        end += len(_END) + head.length
        if len(data) < end:
            self._held = data
            self._unset_keepalive_if_required()
            return True
        request = data if len(data) == end else data[:end]
        answer = partial(self._answered, at_once, request)
        try:
            self._asked = at_once.ask(head.said, request[end - head.length :], answer)
        except Exception:
            _logger.exception("A request could not be answered at once")
        if self._asked is None:
            return False
        if len(data) > end:
            self._wait(data[end:])
        return True

    def _key(self, head: bytes) -> bytes:
        """Of a head from this address."""
        return hashlib.blake2b(head, digest_size=32, key=self._host).digest()

    def _wait(self, data: bytes) -> None:
        self._later += data
        if len(self._later) > BODY_BYTES:
            self.flow.pause_reading()

    def _remember(self, at_once: AtOnce, head: bytes) -> None:
        """Keep what a head means, where nothing in it is the protocol's to read again."""
        fields, lines = dict(self.headers), head.count(b"\r\n")
        if not lines == len(fields) == head.count(b"\n") == head.count(b"\r"):
            return
        if not self.cycle.keep_alive or not _SAID_BY_PROTOCOL.isdisjoint(fields):
            return
        size = fields.get(b"content-length", b"")
        if not size.isdigit() or len(size) > _DIGITS_MAX or not 0 < int(size) <= BODY_BYTES:
            return
        said = at_once.head(cast(Scope, self.scope))
        if said is not None:
            at_once.heads.keep(self._key(head), _Head(int(size), said))

    def _answered(self, at_once: AtOnce, request: bytes, answered: Answered | Again) -> None:
        if self._asked is None:
            return  # the connection is lost
        self._asked = None
        if self.transport.is_closing():
            return
        if isinstance(answered, Again):
            self._known = answered.known
            super().data_received(request)
            if self._ending:
                super().shutdown()
        else:
            self._write(at_once, answered)
        if self._later:
            self._go_on()

    def _write(self, at_once: AtOnce, answered: Answered) -> None:
        head, body = answered
        end = b"connection: close\r\n\r\n" if self._ending else b"\r\n"
        said = at_once.rendered(self.server_state.default_headers)
        self.transport.write(b"%b%bcontent-length: %d\r\n%b%b" % (said, head, len(body), end, body))
        self.server_state.total_requests += 1
        self._used = self.loop.time()
        if self._ending:
            self.transport.close()
        elif self.timeout_keep_alive_task is None:
            self._close_later()

    def _go_on(self) -> None:
        later, self._later = self._later, b""
        self.flow.resume_reading()
        if not self.transport.is_closing():
            self.data_received(later)

    def _close_later(self) -> None:
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )
