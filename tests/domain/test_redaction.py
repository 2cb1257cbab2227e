"""Secrets are masked, other text is left alone."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.redaction import redact, suspected
from domain.secret_kinds import KINDS
from tests.support import secrets
from tests.support.dial import dial


@pytest.mark.parametrize("seed", range(dial(3, 50)))
def test_99_of_100_planted_secrets_are_masked(seed: int) -> None:
    texts = secrets.planted(Random(seed), 200)
    missed = [(kind, text) for kind, text, secret in texts if secret in redact(text).text]
    assert len(missed) <= 2, missed


@pytest.mark.parametrize("seed", range(dial(3, 50)))
def test_at_most_one_of_100_clean_lines_is_touched(seed: int) -> None:
    touched = [
        (line, redact(line).text)
        for line in secrets.clean(Random(seed), 1_000)
        if redact(line).text != line
    ]
    assert len(touched) <= 10, touched


def test_at_least_forty_kinds_are_known() -> None:
    assert len({kind.name for kind in KINDS}) >= 40


@pytest.mark.parametrize("name", secrets.KINDS)
def test_every_kind_is_masked_within_a_sentence(name: str) -> None:
    line, secret = secrets.KINDS[name](Random(name))
    found = redact(f"See {line} there")
    assert secret not in found.text
    assert found.kinds
    assert found.text.startswith("See ")
    assert found.text.endswith(" there")


def test_the_mask_says_what_stood_there() -> None:
    key = secrets.KINDS["github"](Random(1))[0]
    found = redact(f"push with {key}, then pull")
    assert found.text == "push with [redacted:github-token], then pull"
    assert found.kinds == ("github-token",)


@given(st.integers(0, 10**6))
def test_what_was_redacted_stays_as_it_is(seed: int) -> None:
    random = Random(seed)
    text = "\n".join(text for _kind, text, _secret in secrets.planted(random, 5))
    once = redact(text).text
    assert redact(once) == (type(redact(once))(once, ()))


@given(st.text(max_size=300))
def test_any_text_is_taken(text: str) -> None:
    assert isinstance(redact(text).text, str)


@pytest.mark.parametrize("seed", range(dial(2, 50)))
def test_marks_and_hints_hide_nothing_from_a_pattern(seed: int) -> None:
    chance = Random(seed)
    for kind, text, _secret in secrets.planted(chance, 200):
        matching = {id(k) for k in KINDS if k.pattern.search(text)}
        assert matching <= {id(k) for k in suspected(text)}, (kind, text)
        context = "\n".join((*secrets.clean(chance, 5), text, *secrets.clean(chance, 5)))
        among = suspected(context)
        assert redact(text, among) == redact(text), (kind, text)


_HOSTILE = """
sk- eyJ eyJa. password= ://a: -----BEGIN·PRIVATE·KEY----- cookie:·a= token:'
aws·secret aws curl· mysql·
A a. M password· pass·is· 0 SG. \\n login·a· Private-Lines:·1·AAAA· Bearer· _auth= 1//0 ABSK
"""


@pytest.mark.parametrize("piece", [p.replace("·", " ") for p in _HOSTILE.split()])
def test_time_grows_with_the_length_only(piece: str) -> None:
    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        best = 1e9
        for _ in range(3):
            began = time.thread_time()
            redact(text)
            best = min(best, time.thread_time() - began)
        return best

    short, long = seconds(20_000), seconds(80_000)
    assert long < 0.02 + 8 * short
