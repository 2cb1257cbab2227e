"""The generated functions of connections: cutting the rows of a page, telling where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from graph.plan.tree import Part, Typename

Items = list[tuple[str, str]]


def display(items: Items) -> str:
    """A dict display of keys and expressions."""
    return "{" + ", ".join(f"{key!r}: {value}" for key, value in items) + "}"


def cut(asked: Any, leading: str) -> list[str]:
    """The lines that leave of `rows` the page, and say whether there is more on either side.

    One more than the page holds was read. `leading` tells a row before the one that a page is to
    have in its middle.
    """
    if asked.number is not None:
        return _around(asked.number, leading)
    lines = [f"more = len(rows) > {asked.limit}"]
    lines += ["if more:", f"    rows = rows[:{asked.limit}]"]
    before, after = asked.before is not None, asked.after is not None
    if asked.backward:
        return [*lines, "rows = rows[::-1]", f"previous, following = more, {before}"]
    return [*lines, f"previous, following = {after}, more"]


def _around(size: int, leading: str) -> list[str]:
    kept = f"lead[-{size // 2}:]" if size > 1 else "[]"
    return [
        f"lead = [r for r in rows if {leading}]",
        "rest = rows[len(lead):]",
        f"kept = {kept}",
        f"room = {size} - len(kept)",
        "previous, following = len(lead) > len(kept), len(rest) > room",
        "rows = kept + rest[:room]",
    ]


def part(part: Part | Typename, node: Callable[[Part], str], cursor: str) -> str:
    """A field of a connection, over `rows`, `total`, `previous` and `following`."""
    if isinstance(part, Typename):
        return repr(part.name)
    if part.name == "totalCount":
        return "total"
    if part.name == "nodes":
        return f"[{node(part)} for r in rows]"
    if part.name == "edges":
        return f"[{display(_edge(part, node, cursor))} for r in rows]"
    return _page_info(part, cursor)


def _edge(edges: Part, node: Callable[[Part], str], cursor: str) -> Items:
    items = []
    for inner in edges.content:
        if isinstance(inner, Typename):
            items.append((inner.key, repr(inner.name)))
        else:
            items.append((inner.key, cursor if inner.name == "cursor" else node(inner)))
    return items


def _page_info(info: Part, cursor: str) -> str:
    said = {
        "hasNextPage": "following",
        "hasPreviousPage": "previous",
        "startCursor": f"(lambda r: {cursor})(rows[0]) if rows else None",
        "endCursor": f"(lambda r: {cursor})(rows[-1]) if rows else None",
    }
    return display(
        [(p.key, repr(p.name) if isinstance(p, Typename) else said[p.name]) for p in info.content]
    )
