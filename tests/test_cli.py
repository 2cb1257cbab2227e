"""The command line, as a newcomer and an operator meet it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import psutil
import pytest

from cli import read_env_file
from settings import SettingsError
from tests.conftest import ServeProcess
from tests.support.dial import dial
from tests.support.process import ROOT


def cli(*arguments: str, folder: Path = ROOT, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_empty_folder_becomes_a_server_that_stops_in_good_order(
    serve_process: ServeProcess, tmp_path: Path
) -> None:
    server = serve_process({"DATABASE_URL": "", "JWT_SECRET": ""})
    health = httpx.get(f"{server.url}/health")
    assert health.status_code == 200
    assert "server" not in health.headers
    data = tmp_path / "server-data"
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "secrets/jwt-secret").stat().st_mode & 0o777 == 0o600
    postgres = psutil.Process(int((data / "postgres/postmaster.pid").read_text().split()[0]))

    assert server.terminate() == 0
    assert not postgres.is_running()
    assert "Traceback" not in server.output()

    began = time.monotonic()
    serve_process({"DATABASE_URL": "", "JWT_SECRET": ""})
    assert time.monotonic() - began < dial(40, 5)


def test_prune_says_what_it_did(database_url: str) -> None:
    done = cli("prune", DATABASE_URL=database_url, JWT_SECRET="x" * 32)
    said = "Pruned 0 log entries, 0 tombstones and 0 events of the audit log.\n"
    assert (done.returncode, done.stdout) == (0, said)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_can_be_stopped_while_it_is_still_starting(
    serve_process: ServeProcess, number: signal.Signals, tmp_path: Path
) -> None:
    server = serve_process({"DATABASE_URL": ""}, wait=False)
    deadline = time.monotonic() + 30
    while not (tmp_path / "server-data/postgres.lock").exists():
        assert time.monotonic() < deadline
        time.sleep(0.001)
    server.process.send_signal(number)
    assert server.process.wait(30) == 0
    assert "Traceback" not in server.output()
    assert not (tmp_path / "server-data/postgres/postmaster.pid").exists()


def test_a_request_that_is_being_answered_is_finished_before_it_stops(
    serve_process: ServeProcess,
) -> None:
    server = serve_process()
    host, port = server.url.removeprefix("http://").split(":")
    body = b'{"email": "ann@example.org", "password": "correct horse", "name": "Ann"}'
    with socket.create_connection((host, int(port))) as slow:
        head = f"POST /api/auth/register HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        slow.sendall(head.encode() + body[:10])
        time.sleep(0.3)
        server.process.send_signal(signal.SIGTERM)
        time.sleep(0.3)
        slow.sendall(body[10:])
        assert slow.recv(4096).startswith(b"HTTP/1.1 201")
    assert server.process.wait(15) == 0


def test_a_port_that_is_taken_is_one_clear_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        finished = cli("serve", "--port", str(port))
    assert finished.returncode == 1
    assert finished.stderr.splitlines() == [
        f"Error: cannot listen on 127.0.0.1 port {port}: Address already in use"
    ]


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"PORT": "http"}, "PORT"),
        ({"NODE_ENV": "production"}, "JWT_SECRET"),
        ({"PORT": "0", "DATABASE_URL": "mysql://localhost/x"}, "DATABASE_URL"),
        ({"PORT": "0", "DATABASE_URL": "postgresql://u@127.0.0.1:1/x"}, "cannot connect"),
    ],
)
def test_a_start_that_cannot_succeed_is_one_clear_line(
    environ: dict[str, str], message: str, tmp_path: Path
) -> None:
    finished = cli("serve", folder=tmp_path, TEAMLORE_DATA=str(tmp_path / "data"), **environ)
    assert finished.returncode == 1
    assert message in finished.stderr
    assert len(finished.stderr.splitlines()) == 1


def test_a_second_server_on_the_same_folder_names_the_first(serve_process: ServeProcess) -> None:
    first = serve_process({"DATABASE_URL": ""})
    second = serve_process({"DATABASE_URL": ""}, wait=False)
    assert second.process.wait(30) == 1
    assert f"is already used by process {first.pid}" in second.output()
    assert httpx.get(f"{first.url}/health").status_code == 200


def test_migrate_brings_the_database_up_to_date_and_ends(tmp_path: Path) -> None:
    finished = cli("migrate", folder=tmp_path, TEAMLORE_DATA=str(tmp_path / "data"))
    assert finished.returncode == 0, finished.stderr
    assert "up to date" in finished.stdout
    assert not (tmp_path / "data/postgres/postmaster.pid").exists()


def test_the_committed_schema_is_the_printed_one() -> None:
    assert cli("export-schema").stdout == (ROOT / "schema.graphql").read_text("utf-8")


def test_an_env_file_is_read_and_the_environment_wins(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=http\n")
    data = str(tmp_path / "data")
    assert "PORT" in cli("serve", folder=tmp_path, TEAMLORE_DATA=data).stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert "cannot listen" in cli("serve", folder=tmp_path, PORT=port).stderr


def test_an_env_file_may_have_comments_quotes_and_exports(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text(
        "# a comment\n\nA=1\nexport B = two words # and why\nC='# not a comment'\nD=\"x=y\"\nE=\n"
    )
    assert read_env_file(path) == {
        "A": "1",
        "B": "two words",
        "C": "# not a comment",
        "D": "x=y",
        "E": "",
    }
    assert read_env_file(tmp_path / "missing") == {}


def test_a_line_that_means_nothing_is_named(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("A=1\nwhat is this\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_env_file(path)


def test_a_wrong_grace_period_is_refused_before_anything_starts() -> None:
    finished = cli("gc", "--grace", "soon")
    assert finished.returncode == 2
    assert "--grace" in finished.stderr
