"""What strangers may not read is refused."""

from __future__ import annotations

from random import Random

import pytest

from domain.privacy import SECRET, signs_in
from tests.support import secrets
from tests.support.dial import dial


def wide(text: str) -> str:
    """The text in letters of another width, with a character between that nobody sees."""
    letters = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)
    return letters[:9] + "\u200b" + letters[9:]


@pytest.mark.parametrize("seed", range(dial(1, 50)))
def test_99_of_100_planted_secrets_never_reach_the_community(seed: int) -> None:
    planted = secrets.planted(Random(seed), 200)
    missed = [kind for kind, text, _secret in planted if not signs_in("A fine approach", text)]
    assert len(missed) <= 2, missed
    hidden = [kind for kind, text, _secret in planted if not signs_in(wide(text))]
    assert len(hidden) <= 2, hidden


def test_a_secret_is_called_one() -> None:
    assert SECRET in signs_in(secrets.KINDS["github"](Random(1))[0])
    assert signs_in("Take the locks in order, and let go of them in the opposite one") == []
