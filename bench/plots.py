"""Bars as SVG, written by hand: readable on light and dark pages, and small enough to commit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

WIDTH, LABEL, BAR, GAP = 760, 210, 18, 6
_OURS, _OTHERS, _FLOOR = "#2f7d4f", "#8a94a6", "#c9a227"
_TEXT = 'font-family="system-ui, sans-serif" font-size="12" fill="#6b7280"'


def bars(title: str, groups: Mapping[str, Mapping[str, float]], unit: str) -> str:
    """Groups of bars, each group to its own scale; the first of a group is ours."""
    parts, y = [], 40.0
    for name, values in groups.items():
        parts.append(_text(10, y + 12, name, bold=True))
        y += 22
        most = max([*values.values(), 1e-9])
        for place, (label, value) in enumerate(values.items()):
            width = (WIDTH - LABEL - 90) * value / most
            color = _FLOOR if "floor" in label.lower() else _OTHERS if place else _OURS
            parts.append(_text(LABEL - 8, y + 13, label, anchor="end"))
            parts.append(
                f'<rect x="{LABEL}" y="{y:.0f}" width="{width:.1f}" height="{BAR}" fill="{color}"/>'
            )
            parts.append(_text(LABEL + width + 6, y + 13, f"{value:,.0f} {unit}"))
            y += BAR + GAP
        y += 14
    return _svg(title, y, parts)


def lines(title: str, series: Mapping[str, Sequence[tuple[float, float]]], unit: str) -> str:
    """Lines over a logarithmic axis of sizes, from zero up."""
    height, bottom, left = 300.0, 260.0, 70.0
    points = [point for places in series.values() for point in places]
    low, high = (log10(max(1.0, pick(x for x, _y in points))) for pick in (min, max))
    most = max([y for _x, y in points] + [1e-9]) * 1.15
    parts = []
    for x in sorted({x for x, _y in points}):
        at = left + (WIDTH - left - 150) * (log10(max(1.0, x)) - low) / max(high - low, 1e-9)
        parts.append(_text(at, bottom + 18, f"{x:,.0f}", anchor="middle"))
    for part in (0.0, 0.5, 1.0):
        y = bottom - (bottom - 50) * part
        parts.append(f'<line x1="{left}" x2="{WIDTH - 150}" y1="{y}" y2="{y}" stroke="#d1d5db"/>')
        parts.append(_text(left - 8, y + 4, f"{most * part:.1f} {unit}", anchor="end"))
    for place, (name, places) in enumerate(series.items()):
        color = (_OURS, _FLOOR, _OTHERS)[place % 3]
        path = [
            (
                left + (WIDTH - left - 150) * (log10(max(1.0, x)) - low) / max(high - low, 1e-9),
                bottom - (bottom - 50) * y / most,
            )
            for x, y in places
        ]
        drawn = " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
        parts.append(f'<polyline points="{drawn}" fill="none" stroke="{color}" stroke-width="2"/>')
        parts.append(_text(path[-1][0] + 8, path[-1][1] + 4, name))
    return _svg(title, height, parts)


def _text(x: float, y: float, text: str, *, anchor: str = "start", bold: bool = False) -> str:
    weight = ' font-weight="600"' if bold else ""
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"'
    return f"<text {place} {_TEXT}{weight}>{escape(text)}</text>"


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'role="img" aria-label="{escape(title, quote=True)}">\n'
        + "\n".join([_text(10, 20, title, bold=True), *parts])
        + "\n</svg>\n"
    )
