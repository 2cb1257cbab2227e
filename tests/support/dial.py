"""The dial between `./dev test` (short) and `./dev prove` (full length): the same tests, longer."""

from __future__ import annotations

import os
from typing import TypeVar

T = TypeVar("T")

PROVING = os.environ.get("TEAMLORE_PROVE") == "1"


def dial(short: T, full: T) -> T:
    """How many examples, steps or rounds to run, which ones, or how long something may take.

    Promised times hold on a machine that does nothing else: the short run only asks that they are
    not out of all bounds.
    """
    return full if PROVING else short
