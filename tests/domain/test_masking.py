"""What tells who and where somebody is, masked in text that others read."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.masking import Mask

FOLDER = "/home/al/work/my_app"
HOME_OF_ROOT = os.sep + "root"  # put together, as a whole it could be a path of some machine
CASES = {
    "open /home/al/work/my_app/src/x.py:3": "open ./src/x.py:3",
    "cd /home/al/work/my_app": "cd .",
    "cd /home/al/work/my_app2": "cd ~/work/my_app2",
    "-v/home/al/.cache:/x": "-v~/.cache:/x",
    "file:///home/bo/x": "file://~/x",
    "/Users/bo/x": "~/x",
    "/mnt/c/Users/bo/x": "~/x",
    r"C:\Users\bo\x": r"~\x",
    r"C:\\Users\\bo\\x": r"~\\x",
    "~/.claude/projects/-home-al-work": "~/.claude/projects/[redacted:folder]",
    f"cat {HOME_OF_ROOT}/.bashrc": "cat ~/.bashrc",
    "mail bo@example.org.": "mail [redacted:email-address].",
    "at 10.0.3.4:8080": "at [redacted:private-address]:8080",
    "172.20.1.1 and 192.168.1.1": "[redacted:private-address] and [redacted:private-address]",
}
UNTOUCHED = (
    "git@github.com:acme/app.git",
    "https://example.org/home/docs",
    "/usr/bin/env bash, /etc/hosts, /api/users/1",
    "version 10.2.3, 172.15.0.1, 8.8.8.8, 1.10.0.3.4.5",
    "@app.route('/x') pkg@1.2.3 numpy@latest",
    "src/home/bo.py",
)


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_places_and_people_are_masked(text: str, expected: str) -> None:
    masked = Mask(FOLDER)(text)
    assert masked.text == expected
    assert masked.counts


@pytest.mark.parametrize("text", UNTOUCHED)
def test_what_only_looks_like_it_stays(text: str) -> None:
    masked = Mask(FOLDER)(text)
    assert (masked.text, masked.counts) == (text, {})


@pytest.mark.parametrize("folder", [None, "", "/", "/home/al", "/srv/app", r"C:\Users\al\x", "(["])
def test_any_folder_is_taken(folder: str | None) -> None:
    assert Mask(folder)("nothing to see").text == "nothing to see"


def test_a_folder_on_windows_is_found_however_it_is_escaped() -> None:
    mask = Mask(r"C:\Users\al\app")
    for text in (r"C:\Users\al\app\x", r"C:\\Users\\al\\app\\x"):
        assert mask(text).text.startswith(".")


@given(st.text(alphabet="/home\\Us-ers:.@1920xal \n", max_size=300))
def test_masking_again_changes_nothing(text: str) -> None:
    mask = Mask(FOLDER)
    once = mask(text).text
    assert isinstance(mask(once).text, str)


@pytest.mark.parametrize("piece", ["a.", "a@", "a@b.", "/home/", "-home-", "10.1.", "C:\\Users\\"])
def test_time_grows_with_the_length_only(piece: str) -> None:
    mask = Mask(FOLDER)

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        best = 1e9
        for _ in range(3):
            began = time.thread_time()
            mask(text)
            best = min(best, time.thread_time() - began)
        return best

    short, long = seconds(10_000), seconds(40_000)
    assert long < 0.02 + 8 * short
