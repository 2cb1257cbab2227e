"""Secrets are made once, privately, whoever comes first."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from db.secret_file import ensure_secret
from tests.support.process import ROOT

ASK = "import sys; from pathlib import Path; from db.secret_file import ensure_secret; \
sys.stdin.read(); print(ensure_secret(Path(sys.argv[1]), 'jwt-secret'))"


def test_a_secret_is_32_random_bytes_and_stays_the_same(tmp_path: Path) -> None:
    first = ensure_secret(tmp_path / "data", "jwt-secret")
    assert len(bytes.fromhex(first)) == 32
    assert ensure_secret(tmp_path / "data", "jwt-secret") == first
    assert ensure_secret(tmp_path / "data", "another") != first


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    ensure_secret(tmp_path / "data", "jwt-secret")
    folder = tmp_path / "data/secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "jwt-secret").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in folder.iterdir()] == ["jwt-secret"]


def test_eight_processes_that_ask_at_once_get_the_same(tmp_path: Path) -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-c", ASK, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in asking:  # all wait for this end of their input, then race
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    answers = {process.communicate(timeout=30)[0].strip() for process in asking}
    assert len(answers) == 1
    assert answers != {""}
