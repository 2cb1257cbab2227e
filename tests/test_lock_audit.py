"""The offline look at locked packages, and reasons for exceptions from the security lint."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from lock_audit import (
    Pin,
    advised,
    differently_installed,
    is_affected,
    pins,
    problems_of,
    read_advisories,
    refused,
)
from tests.support.process import ROOT

SHIPPED = (
    "*.py",
    "db/**/*.py",
    "domain/**/*.py",
    "graph/**/*.py",
    "rest_compat/**/*.py",
    "clients/**/*.py",
)
HASH = "a" * 64


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """What is looked at, where it can be spoiled."""
    for path in (*ROOT.glob("requirements*"), ROOT / "pyproject.toml"):
        shutil.copy(path, tmp_path)
    (tmp_path / "web").mkdir()
    shutil.copy(ROOT / "web" / "package-lock.json", tmp_path / "web")
    return tmp_path


def test_what_is_locked_here_has_nothing_wrong(copy: Path) -> None:
    problems, locked = problems_of(copy)
    assert problems == []
    assert len(locked["requirements.txt"]) > 20


def edit(name: str, change: Callable[[str], str]) -> Callable[[Path], None]:
    def spoil(folder: Path) -> None:
        path = folder / name
        before = path.read_text()
        path.write_text(change(before))
        assert path.read_text() != before

    return spoil


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (
            edit("requirements.txt", lambda t: t.replace("    --hash=sha256:", "    # ", 1)),
            "line 2",
        ),
        (edit("requirements.txt", lambda t: t + "thing @ git+ssh:thing\n"), "expected a pinned"),
        (edit("requirements.txt", lambda t: t + "thing>=1 \\\n"), "expected a pinned"),
        (edit("requirements.txt", lambda t: t + "thing==1 \\\n"), "ends before"),
        (
            edit("requirements.txt", lambda t: re.sub(r"\npyjwt==[0-9.]+", "\npyjwt==2.3.0", t)),
            "pyjwt 2.3.0, but pyjwt>=",
        ),
        (
            edit("requirements.txt", lambda t: re.sub(r"\npyjwt==[0-9.]+", "\npyjwt==2.3.0", t)),
            "pyjwt 2.3.0 is refused: CVE-2022-29217",
        ),
        (
            edit("requirements.txt", lambda t: f"{t}thing==1 \\\n    --hash=sha256:{HASH}\n"),
            "requirements-dev.txt does not lock thing 1",
        ),
        (
            edit(
                "pyproject.toml", lambda t: t.replace('"asyncpg>=0.32"', '"absent", "asyncpg>=99"')
            ),
            "does not lock absent",
        ),
        (
            edit(
                "pyproject.toml", lambda t: t.replace('"asyncpg>=0.32"', '"absent", "asyncpg>=99"')
            ),
            "asyncpg>=99 is required",
        ),
        (edit("requirements-s3.in", lambda t: t + "absent\n"), "requirements-s3.txt does not lock"),
        (
            edit(
                "web/package-lock.json", lambda t: t.replace('"integrity": "sha512-', '"x": "', 1)
            ),
            "has no SHA-512",
        ),
    ],
)
def test_what_is_wrong_with_a_lock_is_said(
    copy: Path, spoil: Callable[[Path], None], said: str
) -> None:
    spoil(copy)
    problems, _locked = problems_of(copy)
    assert any(said in problem for problem in problems), problems


def test_a_lock_with_hashes_is_read(tmp_path: Path) -> None:
    problems: list[str] = []
    path = tmp_path / "requirements.txt"
    hashes = f"    --hash=sha256:{HASH} \\\n    --hash=sha256:{HASH}\n"
    text = f"A_b==1.0 ; python_version < '3.12' \\\n{hashes}"
    path.write_text(text)
    assert (pins(path, problems), problems) == ([Pin("a-b", "1.0")], [])


def test_refused_versions_are_named_with_the_reason() -> None:
    listed = ["# nothing", "", "thing>=1,<2  # CVE-1: a hole"]
    assert list(refused([Pin("thing", "1.5"), Pin("thing", "2.0")], listed)) == [
        "thing 1.5 is refused: CVE-1: a hole"
    ]


def test_what_is_installed_but_not_locked_is_named() -> None:
    found = list(differently_installed([]))
    assert any(problem.startswith("pytest ") for problem in found)
    assert not any(problem.startswith("pip ") for problem in found)


@pytest.mark.parametrize(
    ("version", "affected"),
    [
        ("0.9", False),
        ("1.0", True),
        ("1.4.9", True),
        ("1.5", False),
        ("2.0rc1", True),
        ("2.2", True),
        ("2.2.1", False),
        ("7!0", True),
    ],
)
def test_ranges_of_an_advisory(version: str, affected: bool) -> None:
    events = [
        {"fixed": "1.5"},
        {"introduced": "1.0"},
        {"introduced": "2.0a1"},
        {"last_affected": "2.2"},
    ]
    span = {"type": "ECOSYSTEM", "events": events}
    assert is_affected(version, {"ranges": [span], "versions": ["7!0"]}) is affected


def test_advisories_in_osv_form_are_looked_up(tmp_path: Path) -> None:
    every = [{"introduced": "0"}]
    about = {
        "package": {"ecosystem": "PyPI", "name": "A.b"},
        "ranges": [{"type": "ECOSYSTEM", "events": every}],
    }
    other = {**about, "package": {"ecosystem": "npm", "name": "a-b"}}
    (tmp_path / "below").mkdir()
    for number, advisory in enumerate(
        [
            {"id": "PYSEC-1", "affected": [about]},
            {"id": "PYSEC-2", "affected": [about], "withdrawn": "2024-01-01T00:00:00Z"},
            {"id": "GHSA-3", "affected": [other]},
        ]
    ):
        (tmp_path / "below" / f"{number}.json").write_text(json.dumps(advisory))
    assert list(advised([Pin("a-b", "3")], read_advisories(tmp_path))) == ["a-b 3: PYSEC-1"]


def test_every_exception_from_the_security_rules_of_the_lint_has_a_reason() -> None:
    """bandit's rules are on (ruff's S); here and there one does not fit, and the line says why."""
    project = (ROOT / "pyproject.toml").read_text()
    assert "S" in tomllib.loads(project)["tool"]["ruff"]["lint"]["select"]
    ignored = project.partition("[tool.ruff.lint.per-file-ignores]")[2].partition("\n[")[0]
    sections = re.findall(r'^"(.+?)" = \[\n(.*?)^\]', ignored, re.MULTILINE | re.DOTALL)
    shipped = [rules for name, rules in sections if not name.startswith(("bench/", "tests/"))]
    assert len(shipped) >= 3
    bare = [
        line
        for line in "\n".join(shipped).splitlines()
        if re.match(r'\s*"S\d*"', line) and "# " not in line
    ]
    for pattern in SHIPPED:
        for path in ROOT.glob(pattern):
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if re.search(r"# noqa: [A-Z0-9, ]*\bS\d+", line) and not re.search(
                    r"noqa: \S+ - \S", line
                ):
                    bare.append(f"{path.relative_to(ROOT)}:{number}")
    assert not bare
