"""How the application is served: uvicorn's settings, what one peer can make it hold, the log."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import socket
import sys
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import structlog
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from direct import DirectProtocol
from settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp
    from uvicorn._types import ASGISendEvent

HEAD_BYTES = 64 * 1024
WS_MESSAGE_BYTES = 1024 * 1024
WS_PING_SECONDS = 20.0
WS_UNSENT_BYTES = 32 * 1024
WS_STALL_SECONDS = 5.0
WS_LINGER_SECONDS = 10.0
LINGER_SECONDS = 2.0
"""How long a connection that was refused is still read."""
WS_TOO_SLOW = 4413
"""The close code that says: you took too little of what you were sent, resume from your cursor."""
_NO_LIMIT = 0
COLLECT_AFTER = (10_000, 20, 100)
KEEP_ALIVE_SECONDS = 65  # longer than the minute that balancers keep an idle connection
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: 44\r\nconnection: close\r\n\r\n"
    b'{"error": "The request\'s head is too large"}'
)


class _HangsUp(asyncio.Protocol):
    """Notices a peer that takes nothing, for `stall_seconds`, of what it is being sent.

    For a protocol that has a `transport` and stops writing when told to pause.
    """

    stall_seconds = 30.0
    transport: asyncio.Transport
    _watch: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """The buffer is full: watch whether it drains."""
        super().pause_writing()
        self._look_later()

    def resume_writing(self) -> None:
        """It has drained."""
        self._look_no_more()
        super().resume_writing()

    def connection_lost(self, exc: Exception | None) -> None:
        """It will not drain any more."""
        self._look_no_more()
        super().connection_lost(exc)

    def stalled(self) -> None:
        """End the connection."""
        self.transport.abort()

    def _look_later(self) -> None:
        self._look_no_more()
        left = self.transport.get_write_buffer_size()
        loop = asyncio.get_running_loop()
        self._watch = loop.call_later(self.stall_seconds, self._look, left)

    def _look(self, left: int) -> None:
        if self.transport.get_write_buffer_size() < left:
            self._look_later()
        else:
            self.stalled()

    def _look_no_more(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None


class BoundedHeadProtocol(_HangsUp, HttpToolsProtocol):
    """uvicorn's protocol, which bounds neither a header nor their number by itself.

    A response may break its connection off: `scope["extensions"]["teamlore.hang_up"]["call"]()`.
    """

    _in_head = _begins = _refused = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._begins = True, True
        super().on_message_begin()
        self.scope["extensions"] = {"teamlore.hang_up": {"call": self.transport.abort}}

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count while the head lasts; refuse and hang up when it grows too long."""
        if self._refused or self.transport.is_closing():
            return  # what was on its way is read, lest the answer be lost in a reset
        self._begins = False
        super().data_received(data)
        if self._begins:  # in this piece, perhaps behind the end of another request
            end = data.rfind(b"\r\n\r\n")
            self._head_bytes = len(data) if end < 0 else len(data) - end - 4
        else:
            self._head_bytes += len(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self._refused = True
            self.transport.write(_TOO_LARGE)
            self.transport.write_eof()
            self.loop.call_later(LINGER_SECONDS, self.transport.close)


class ServedProtocol(DirectProtocol, BoundedHeadProtocol):
    """What speaks HTTP here."""


class _Inbox:
    """What a socket has received, for one reader: asyncio.Queue's idle ones hold 3 KiB each."""

    __slots__ = ("_messages", "_waiting")

    def __init__(self) -> None:
        self._messages: deque[Any] | None = None
        self._waiting: asyncio.Future[None] | None = None

    def put_nowait(self, message: Any) -> None:
        self._messages = self._messages or deque()
        self._messages.append(message)
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def empty(self) -> bool:
        return not self._messages

    async def get(self) -> Any:
        while not self._messages:
            self._waiting = asyncio.get_running_loop().create_future()
            await self._waiting
        message = self._messages.popleft()
        self._messages = self._messages or None
        return message


class BoundedSocketProtocol(_HangsUp, WebSocketsSansIOProtocol):
    """uvicorn's protocol, which waits for ever on a peer that does not read.

    The kernel gets WS_UNSENT_BYTES ahead of the network and the write buffer what uvloop lets in
    (64 KiB and a message). When neither drains, the peer is told to resume, with a close frame for
    which the kernel then makes room: it is there when the peer reads again, and our memory is free
    at once.
    """

    stall_seconds = WS_STALL_SECONDS

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self.queue = _Inbox()  # type: ignore[assignment]  # the part of a queue that is used

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the kernel from taking megabytes for a peer that reads nothing."""
        super().connection_made(transport)
        self._let_unsent(WS_UNSENT_BYTES)

    async def send(self, message: ASGISendEvent) -> None:
        """As uvicorn does; but a close is said at once, and waited for with an end."""
        closing = message["type"] == "websocket.close" and self.handshake_complete
        if closing:
            self._let_unsent(_NO_LIMIT)
            self.writable.set()
        await super().send(message)
        if closing:
            self._hang_up_later()
        elif message["type"] == "websocket.accept":
            for head in (self.request, self.response):
                head.headers.clear()  # read for the last time; the parser of frames keeps the rest
            del self.request, self.response

    def stalled(self) -> None:
        """Tell the peer to resume, and go."""
        self._leave("Too slow: resume from your cursor")

    def keepalive_timeout(self) -> None:
        """No answer to a ping: the same."""
        self.pong_timer = self.pending_ping_payload = None
        self._leave("No answer to a ping: resume from your cursor")

    def handle_ping(self) -> None:
        """Answer, unless the peer asks for ever and takes no answer."""
        super().handle_ping()
        if self.transport.get_write_buffer_size() > WS_MESSAGE_BYTES:
            self.transport.abort()

    def _leave(self, reason: str) -> None:
        if self.close_sent or self.transport.is_closing():
            self.transport.abort()
            return
        self._let_unsent(_NO_LIMIT)
        self.queue.put_nowait(
            {"type": "websocket.disconnect", "code": WS_TOO_SLOW, "reason": reason}
        )
        self.conn.send_close(WS_TOO_SLOW, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = self.disconnected = True
        self.writable.set()  # whoever waits to send learns that there is nobody any more
        self._hang_up_later()

    def _hang_up_later(self) -> None:
        self._look_no_more()
        if self.close_timer is not None:
            self.close_timer.cancel()
        self.close_timer = self.loop.call_later(WS_LINGER_SECONDS, self._hang_up)

    def _hang_up(self) -> None:
        stuck = self.transport.get_write_buffer_size()
        (self.transport.abort if stuck else self.transport.close)()

    def _let_unsent(self, size: int) -> None:
        """How much the kernel takes ahead of the network, where it can be told."""
        option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
        raw = self.transport.get_extra_info("socket")
        if option is not None and raw is not None:
            with suppress(OSError):
                raw.setsockopt(socket.IPPROTO_TCP, option, size)


def prepare_process() -> None:
    """Make room for thousands of connections, once the application has been built.

    As many files as the system lets us have; and rare full garbage collections, which look at all
    that 2,000 sockets hold: they stopped the server for 300 ms every few thousand events. What is
    in cycles dies young and is found by the small collections. What the program itself consists of,
    more than 100,000 objects, is not looked at again: that cost an unlucky request 50 ms.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def server_config(app: ASGIApp, settings: Settings) -> Config:
    """How uvicorn serves the application, in production and in tests alike."""
    return Config(
        app,
        loop="uvloop",
        http=ServedProtocol,
        ws=BoundedSocketProtocol,
        ws_max_size=WS_MESSAGE_BYTES,
        ws_ping_interval=WS_PING_SECONDS,
        ws_ping_timeout=WS_PING_SECONDS,
        # A compressor for each socket costs more memory than all else that a subscriber holds.
        ws_per_message_deflate=False,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )


def configure_logging(settings: Settings) -> None:
    """Send the log to standard error: JSON lines in production, plain lines otherwise.

    Tracebacks never show the values of variables, which may be somebody's private text.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    if settings.environment == "production":
        shared.append(structlog.processors.format_exc_info)
        renderer: structlog.typing.Processor = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    handler = logging.StreamHandler(sys.stderr)
    strip = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processors=[strip, renderer], foreign_pre_chain=shared)
    )
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
