"""How the application is served: uvicorn's settings, a bound on a request's head, the log."""

from __future__ import annotations

import gc
import logging
import sys
from typing import TYPE_CHECKING

import structlog
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from settings import Settings

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HEAD_BYTES = 64 * 1024
WS_MESSAGE_BYTES = 1024 * 1024
WS_PING_SECONDS = 20.0
KEEP_ALIVE_SECONDS = 65  # longer than the minute that balancers keep an idle connection
_TOO_LARGE = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n"
    b"content-type: application/json\r\ncontent-length: 44\r\nconnection: close\r\n\r\n"
    b'{"error": "The request\'s head is too large"}'
)


class BoundedHeadProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which bounds neither a header nor their number by itself."""

    _in_head = False
    _head_bytes = 0

    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head has ended."""
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Count while the head lasts; refuse and hang up when it grows too long."""
        if self.transport.is_closing():
            return
        self._head_bytes += len(data)
        super().data_received(data)
        if self._in_head and self._head_bytes > HEAD_BYTES:
            self.transport.write(_TOO_LARGE)
            self.transport.close()


def server_config(app: ASGIApp, settings: Settings) -> Config:
    """How uvicorn serves the application, in production and in tests alike."""
    return Config(
        app,
        loop="uvloop",
        http=BoundedHeadProtocol,
        ws="websockets-sansio",
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


def settle_memory() -> None:
    """Spare the garbage collector what the program itself consists of.

    The modules and the schema are more than 100,000 objects that live as long as the process. To
    walk all of them, as the collector does now and then, costs a request that comes at the wrong
    moment some 50 ms of CPU (measured); frozen, they are left out.
    """
    gc.collect()
    gc.freeze()


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
