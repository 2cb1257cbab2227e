"""The pages that `./dev web` builds from web/, served to browsers under a strict policy.

They are clients of the API like any other. Without them the server runs all the same: whoever opens
one then reads what is missing.
"""

from __future__ import annotations

import mimetypes
import secrets
from collections.abc import Callable
from pathlib import Path

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

BUILT = Path(__file__).parent / "web" / "dist"
_POLICY = (
    "default-src 'none'; script-src 'self'; worker-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; font-src 'self'{fonts}; style-src 'self'{styles}; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
# React Aria adds one style element to the page, by a nonce that only this answer has.
_STRICT = _POLICY.format(fonts="", styles=" 'nonce-made-for-each-answer'")
_NONCE = "made-for-each-answer"
# GraphiQL's editor brings a font in its style sheet and writes its colours into style elements.
_EDITOR = _POLICY.format(fonts=" data:", styles=" 'unsafe-inline'")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}
# Addresses that the dashboard's own router knows; anything else is nobody's.
_PLACES = (
    "/",
    "/overview",
    "/sessions",
    "/sessions/{rest:path}",
    "/knowledge",
    "/knowledge/{rest:path}",
    "/teams",
    "/teams/{rest:path}",
    "/community",
    "/community/{rest:path}",
    "/settings",
    "/settings/{rest:path}",
    "/invitations/{rest:path}",
)
_ENCODINGS = (("br", ".br"), ("gzip", ".gz"))
_BEING_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta http-equiv="refresh" content="3"><title>Teamlore</title>
<h1>This page is not built yet</h1>
<p>The server answers already. It builds its pages when it is started with <code>./dev serve</code>,
which takes a moment the first time; <code>./dev web</code> does just that. This page tries again
by itself.</p></html>
"""


def page_routes(*, graphiql: bool, built: Path = BUILT) -> list[BaseRoute]:
    """The routes of the pages and of what they load; GraphiQL only where it is wanted."""
    assets = Mount("/assets", _Assets(directory=built / "assets", check_dir=False))
    dashboard = _page(built / "index.html")
    routes: list[BaseRoute] = [assets, *(Route(place, dashboard) for place in _PLACES)]
    if graphiql:
        routes.append(Route("/graphiql", _page(built / "graphiql.html", _EDITOR)))
    return routes


def _page(file: Path, policy: str = _STRICT) -> Callable[[Request], Response]:
    def show(_request: Request) -> Response:
        if not file.is_file():
            return HTMLResponse(_BEING_BUILT, 503, {"Retry-After": "3", **_HEADERS})
        nonce = secrets.token_urlsafe(16)
        headers = {
            "Content-Security-Policy": policy.replace(_NONCE, nonce),
            "Cache-Control": "no-store",
            **_HEADERS,
        }
        return HTMLResponse(file.read_text("utf-8").replace(_NONCE, nonce), headers=headers)

    return show


class _Assets(StaticFiles):
    """Files whose names change with their content, compressed when they were built."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, in the smallest form that the browser takes. Raises HTTPException 404."""
        response = self._compressed(path, scope) or await super().get_response(path, scope)
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        response.headers["Vary"] = "Accept-Encoding"
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response

    def _compressed(self, path: str, scope: Scope) -> Response | None:
        accepted = Headers(scope=scope).get("accept-encoding", "")
        for encoding, ending in _ENCODINGS:
            full, found = self.lookup_path(path + ending)
            if encoding not in accepted or found is None:
                continue
            response = FileResponse(
                full, stat_result=found, media_type=mimetypes.guess_type(path)[0]
            )
            response.headers["Content-Encoding"] = encoding
            return response
        return None
