"""Answers as JSON, whichever transport they go over."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encode(content: Any) -> bytes:
    """JSON, also for a message that quotes a string that is no Unicode."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content).encode()


def canonical(content: Any) -> bytes:
    """The same bytes for the same JSON values, whatever the order of an object's members."""
    try:
        return orjson.dumps(content, option=orjson.OPT_SORT_KEYS)
    except TypeError:
        return json.dumps(content, sort_keys=True).encode()
