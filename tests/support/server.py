"""The real server in a thread of the test process, on a free port of 127.0.0.1."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import httpx
from uvicorn import Config, Server

from serving import server_config
from settings import Settings

START_SECONDS = 20


@dataclass(frozen=True, eq=False)
class RunningServer:
    """A server that answers, and a client for it."""

    url: str
    settings: Settings
    client: httpx.AsyncClient

    @property
    def ws_url(self) -> str:
        """The same address for WebSockets."""
        return self.url.replace("http://", "ws://", 1)


@asynccontextmanager
async def running_server(settings: Settings) -> AsyncIterator[RunningServer]:
    """Serve `settings` until the block ends.

    In a thread with a loop of its own, so that a test may also drive it with blocking clients.
    """
    from app import create_app

    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = _Prompt(server_config(create_app(settings), settings))
        thread = threading.Thread(target=_serve, args=(server, listener), daemon=True)
        thread.start()
        try:
            await _until_started(server, thread)
            async with httpx.AsyncClient(base_url=url, timeout=30) as client:
                yield RunningServer(url, settings, client)
        finally:
            server.leave()
            await asyncio.to_thread(thread.join, settings.shutdown_grace_s + 5)
    assert not thread.is_alive(), "the server did not stop"


class _Prompt(Server):
    """uvicorn's server, which looks every tenth of a second whether it shall end: at once here."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self._leaving = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    async def main_loop(self) -> None:
        """Tick, until told to leave."""
        self._loop, ticks = asyncio.get_running_loop(), 0
        while not self.should_exit:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._leaving.wait(), 0.1)
            ticks += 1
            if await self.on_tick(ticks):
                return

    def leave(self) -> None:
        """End, from another thread."""
        self.should_exit = True
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._leaving.set)


def _serve(server: Server, listener: socket.socket) -> None:
    # A failed start-up exits, which ends this thread; `_until_started` reports it.
    with contextlib.suppress(SystemExit):
        server.run([listener])


async def _until_started(server: Server, thread: threading.Thread) -> None:
    async with asyncio.timeout(START_SECONDS):
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the server did not start; see the captured log")
            await asyncio.sleep(0.002)
