"""What an operator does to accounts where no mail can be sent, while the server runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner, Result

from cli import main
from tests.conftest import JWT_SECRET, ServeProcess
from tests.test_cli import cli


def said(output: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in output.splitlines())


def log_in(url: str, email: str, password: str) -> httpx.Response:
    return httpx.post(f"{url}/api/auth/login", json={"email": email, "password": password})


@pytest.fixture
def run(database_url: str, tmp_path: Path) -> Iterator[Callable[..., Result]]:
    """The command line within this process, which is left as it was."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    umask = os.umask(0o077)
    environ = {
        "DATABASE_URL": database_url,
        "JWT_SECRET": JWT_SECRET,
        "TEAMLORE_DATA": str(tmp_path / "server-data"),
    }
    yield lambda *arguments: CliRunner().invoke(main, arguments, env=environ)
    os.umask(umask)
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_an_operator_opens_accounts_and_lets_people_in_again(
    serve_process: ServeProcess, run: Callable[..., Result]
) -> None:
    url = serve_process().url
    made = said(run("create-user", "--email", "Ada@Example.org").output)
    assert made["Account"] == "Ada@example.org"
    first = log_in(url, "ada@example.org", made["Password"])
    assert first.status_code == 200
    by_token = {"Authorization": f"Bearer {first.json()['token']}"}
    by_key = {"X-API-Key": made["API key"]}
    assert httpx.get(f"{url}/api/auth/me", headers=by_key).status_code == 200

    reset = said(run("reset-password", "ADA@example.org").output)
    assert reset["Password"] != made["Password"]
    assert log_in(url, "ada@example.org", made["Password"]).status_code == 401
    assert log_in(url, "ada@example.org", reset["Password"]).status_code == 200
    assert httpx.get(f"{url}/api/auth/me", headers=by_token).status_code == 401
    assert httpx.get(f"{url}/api/auth/me", headers=by_key).status_code == 200

    assert "Deleted" in said(run("delete-user", "Ada@example.org", "--yes").output)
    assert log_in(url, "ada@example.org", reset["Password"]).status_code == 401
    assert httpx.get(f"{url}/api/auth/me", headers=by_key).status_code == 401

    former = {"X-API-Key": said(run("create-user", "--username", "bash").output)["API key"]}
    key = {"X-API-Key": said(run("reset-password", "BASH", "--revoke-keys").output)["API key"]}
    assert httpx.get(f"{url}/api/auth/me", headers=former).status_code == 401
    assert httpx.get(f"{url}/api/auth/me", headers=key).json()["username"] == "bash"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["create-user"], "--email or --username"),
        (["create-user", "--username", "a b"], "letters, digits"),
        (["create-user", "--email", "nonsense"], "e-mail address"),
        (["reset-password", "nobody"], "no account of that name"),
        (["delete-user", "nobody", "--yes"], "no account of that name"),
        (["delete-user", "nobody"], "Aborted"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(
    run: Callable[..., Result], arguments: list[str], message: str
) -> None:
    refused = run(*arguments)
    assert refused.exit_code != 0
    assert message in refused.output
    assert isinstance(refused.exception, SystemExit)


def test_it_reaches_the_embedded_database_of_a_running_server(
    serve_process: ServeProcess, tmp_path: Path
) -> None:
    server = serve_process({"DATABASE_URL": "", "JWT_SECRET": ""})
    data = str(tmp_path / "server-data")
    finished = cli("create-user", "--email", "a@example.org", folder=tmp_path, TEAMLORE_DATA=data)
    assert finished.returncode == 0, finished.stderr
    assert log_in(server.url, "a@example.org", said(finished.stdout)["Password"]).status_code == 200
