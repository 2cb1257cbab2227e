"""The scripts of `clients/scripts/`, served ready to run with this server's address filled in."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

FOLDER = Path(__file__).parent / "clients" / "scripts"
NAMES = ("setup.sh", "sync.sh", "restore.sh", "obsidian.sh")
_MARK = "@TEAMLORE_URL@"
# The address may come from the Host header, and lands in a shell script.
_ADDRESS = re.compile(r"https?://[A-Za-z0-9.\-_~:\[\]/%]+")


def script_routes(public_url: str | None) -> list[BaseRoute]:
    """The routes of the scripts. `public_url` is the address to fill in; else the request's own."""
    return [_route(name, public_url) for name in NAMES]


def _route(name: str, public_url: str | None) -> Route:
    text = (FOLDER / name).read_text("utf-8")

    def show(request: Request) -> Response:
        address = (public_url or str(request.base_url)).rstrip("/")
        if not _ADDRESS.fullmatch(address):
            return PlainTextResponse("This is no address that a script could use\n", 400)
        headers = {
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Content-Disposition": f'inline; filename="{name}"',
        }
        body = text.replace(_MARK, shlex.quote(address))
        return Response(body, 200, headers, "text/x-shellscript")

    return Route(f"/{name}", show)
