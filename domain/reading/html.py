"""A conversation as one page of HTML: everything escaped, nothing that runs or is loaded."""

from __future__ import annotations

import json
from html import escape
from typing import Any, Final

from domain.transcripts import Line, Lines, readable, record_of

_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}"
    "article{border-top:1px solid #bbb;padding:.5rem 0}"
    "h2{font-size:.85rem;color:#555;margin:.3rem 0;font-weight:600}"
    "pre{white-space:pre-wrap;overflow-wrap:anywhere;margin:.3rem 0;font:inherit}"
    "details pre{font:13px/1.4 ui-monospace,monospace;background:#f5f5f5;padding:.5rem}"
    "summary{color:#555}.error summary{color:#a00}"
    "@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#ddd}"
    "details pre{background:#2a2a2a}h2,summary{color:#aaa}}"
)
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'"


class HtmlPage:
    """Turns the blocks of a transcript into a page as they come."""

    def __init__(self, title: str) -> None:
        self._lines = Lines()
        self._begun = False
        self._title = escape(readable(title))

    def feed(self, block: bytes) -> str:
        """What the next block adds."""
        return self._head() + "".join(_article(line) for line in self._lines.feed(block))

    def end(self) -> str:
        """What comes last."""
        rest = self._lines.rest()
        return self._head() + (_article(rest) if rest else "") + "</main>\n</body>\n</html>\n"

    def _head(self) -> str:
        if self._begun:
            return ""
        self._begun = True
        return (
            '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
            '<meta name="viewport" content="width=device-width">\n'
            f"<title>{self._title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
            f"<h1>{self._title}</h1>\n<main>\n"
        )


def _article(line: Line) -> str:
    record = record_of(line)
    message = record.get("message") if record is not None else None
    if record is None or record.get("isMeta") or not isinstance(message, dict):
        return ""
    content = message.get("content")
    if isinstance(content, str):
        content = [{"type": "text", "text": content}]
    parts = (
        [_part(part) for part in content if isinstance(part, dict)]
        if isinstance(content, list)
        else []
    )
    if not any(parts):
        return ""
    who = "Claude" if record.get("type") == "assistant" else "User"
    aside = " (subagent)" if record.get("isSidechain") else ""
    when = record.get("timestamp")
    shown = f" · {_text(when)}" if isinstance(when, str) else ""
    return f"<article><h2>{who}{aside}{shown}</h2>\n{''.join(parts)}</article>\n"


def _part(part: dict[str, Any]) -> str:
    kind = part.get("type")
    if kind == "thinking":
        return _folded("Thinking", part.get("thinking"))
    if kind == "tool_use":
        given = json.dumps(part.get("input"), ensure_ascii=False, indent=1)
        return _folded(f"Tool: {part.get('name')}", given)
    if kind == "tool_result":
        error = part.get("is_error") is True
        return _folded("Error" if error else "Result", _result(part.get("content")), error=error)
    if kind == "image":
        return "<p><em>(image)</em></p>\n"
    text = part.get("text")
    return f"<pre>{_text(text)}</pre>\n" if isinstance(text, str) and text.strip() else ""


def _folded(name: str, text: object, *, error: bool = False) -> str:
    if not isinstance(text, str) or not text.strip():
        return ""
    kind = ' class="error"' if error else ""
    return f"<details{kind}><summary>{_text(name)}</summary><pre>{_text(text)}</pre></details>\n"


def _result(content: object) -> str:
    if isinstance(content, str):
        return content
    items = content if isinstance(content, list) else []
    texts = (item.get("text") for item in items if isinstance(item, dict))
    return "\n".join(text for text in texts if isinstance(text, str))


def _text(text: str) -> str:
    return escape(readable(text))
