"""The dial between `./dev test` (short) and `./dev prove` (full length): the same tests, longer."""

from __future__ import annotations

import os

PROVING = os.environ.get("TEAMLORE_PROVE") == "1"


def dial(short: int, full: int) -> int:
    """How many examples, steps or rounds to run."""
    return full if PROVING else short
