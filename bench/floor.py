"""The floor: the same bytes from a bare ASGI route under the same uvicorn.

    python -m bench.floor FOLDER

Serves `POST /NAME` with the bytes of the file NAME.json in FOLDER, having read the body.
"""

from __future__ import annotations

import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from uvicorn import Server

from serving import prepare_process, server_config
from settings import Settings

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send


class Floor:
    """The application."""

    def __init__(self, folder: Path) -> None:
        self._answers = {f"/{path.stem}": path.read_bytes() for path in folder.glob("*.json")}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; nothing else."""
        if scope["type"] != "http":
            await self._live(receive, send)
            return
        while (await receive()).get("more_body"):
            pass
        body = self._answers[scope["path"]]
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    @staticmethod
    async def _live(receive: Receive, send: Send) -> None:
        while True:
            kind = (await receive())["type"].removeprefix("lifespan.")
            await send({"type": f"lifespan.{kind}.complete"})
            if kind == "shutdown":
                return


class _Announcing(Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        assert sockets
        print(f"ready at http://127.0.0.1:{sockets[0].getsockname()[1]}", flush=True)


def main() -> None:
    """Serve until told to stop."""
    settings = Settings(data_dir=Path(tempfile.gettempdir()))
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = server_config(Floor(Path(sys.argv[1])), settings)
        prepare_process()
        _Announcing(config).run([listener])


if __name__ == "__main__":
    main()
