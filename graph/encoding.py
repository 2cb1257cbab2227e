"""Answers as JSON, whichever transport they go over."""

from __future__ import annotations

import json
from typing import Any

import orjson


def encode(content: dict[str, Any]) -> bytes:
    """JSON, also for a message that quotes a string that is no Unicode."""
    try:
        return orjson.dumps(content)
    except TypeError:
        return json.dumps(content).encode()
