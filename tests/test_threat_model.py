"""The threat model names tests that exist."""

from __future__ import annotations

import re

from tests.support.process import ROOT

NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(test_\w+))?`")


def test_every_defence_names_a_test_that_is_there() -> None:
    found = NAMED.findall((ROOT / "docs" / "threat-model.md").read_text())
    assert len(found) > 30
    missing = [
        f"{path}::{name}"
        for path, name in found
        if not re.search(rf"def {name or 'test_'}", (ROOT / path).read_text())
    ]
    assert not missing
