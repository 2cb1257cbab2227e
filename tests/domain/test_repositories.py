"""One repository is one project, however its address is written on each machine."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.repositories import normalised

names = st.from_regex(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,20}[A-Za-z0-9_]", fullmatch=True).filter(
    lambda name: not name.lower().endswith(".git")
)
hosts = st.sampled_from(["github.com", "git.example.org", "gitlab.com", "localhost", "münchen.de"])
ports = st.sampled_from(["", ":22", ":2222", ":8443"])
users = st.sampled_from(["", "git@", "al@", "al:s3cret@", "x-access-token:ghp_abc@"])


@given(host=hosts, port=ports, user=users, path=st.lists(names, min_size=1, max_size=4))
def test_every_spelling_of_one_repository_is_the_same(
    host: str, port: str, user: str, path: list[str]
) -> None:
    plain = "/".join(path)
    spellings = [
        f"{protocol}://{user}{name}{port}/{plain}{end}"
        for protocol in ("https", "http", "ssh", "git", "git+ssh")
        for name in (host, host.upper().replace("Ü", "ü"))
        for end in ("", ".git", "/", ".git/")
    ]
    spellings += [f"git@{host}:{plain}.git", f"{host}:/{plain}", f" https://{host}/{plain}\n"]
    (found,) = {normalised(spelling) for spelling in spellings}
    assert found is not None
    assert found.casefold() == f"{host}/{plain}".casefold()
    assert "s3cret" not in found


@given(host=hosts, one=names, other=names)
def test_different_repositories_stay_apart(host: str, one: str, other: str) -> None:
    same = one.lower() == other.lower()
    found = {normalised(f"https://{host}/al/{name}") for name in (one, other)}
    assert same or len(found) == 2


def test_case_matters_where_the_host_says_so() -> None:
    assert normalised("git@github.com:Al/App") == normalised("https://github.com/al/app")
    assert normalised("git@git.example.org:Al/App") != normalised("git@git.example.org:al/app")
    assert normalised("ssh://git@ssh.github.com:443/al/app.git") == "github.com/al/app"


@pytest.mark.parametrize(
    "remote",
    [
        *("", "/srv/git/app.git", "../app", "file:///srv/app", "C:\\app", "c:/app", "https://"),
        *("https://[bad/x", "https://github.com/.git", "https://h/%00a", "x://y/z", "git@h:a\0b"),
        "a b:c",
    ],
)
def test_what_is_no_address_says_nothing(remote: str) -> None:
    assert normalised(remote) is None


@given(st.text())
def test_nothing_makes_it_fail(remote: str) -> None:
    assert (normalised(remote) or "a/b").count("/") >= 1
