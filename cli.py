"""The command line: `python -m cli serve`, and what operators do to accounts and the database."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from serving import configure_logging, prepare_process, server_config
from settings import VERSION, Settings, SettingsError, parse_duration

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from domain.services import Services


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="teamlore")
def main() -> None:
    """Teamlore: the memory of a team that codes with Claude Code."""


@main.command()
@click.option("--host", help="Address to listen on; otherwise HOST, otherwise 127.0.0.1.")
@click.option("--port", type=click.IntRange(0, 65535), help="Otherwise PORT, otherwise 3100.")
def serve(host: str | None, port: int | None) -> None:
    """Start the server, with its own PostgreSQL unless DATABASE_URL is set."""
    _stop_on_signals()
    given = {"HOST": host, "PORT": None if port is None else str(port)}
    settings = _load_settings({name: value for name, value in given.items() if value is not None})
    configure_logging(settings)
    # Before anything slow: that the port is taken is said at once.
    with _bound(settings) as listener, _prepared(settings) as ready:
        from app import create_app
        from workers import Workers

        Workers(ready.workers, lambda place: _run(ready, create_app(ready), listener, place)).run()


@main.command()
def migrate() -> None:
    """Bring the database to the newest revision."""
    _stop_on_signals()
    with _prepared(_load_settings({})):
        click.echo("The database is up to date.")


@main.command("create-user")
@click.option("--email", help="The person's e-mail address; a password is made up.")
@click.option("--username", help="A name instead, for an account that uses API keys only.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def create_user(email: str | None, username: str | None, password_stdin: bool) -> None:
    """Open an account, and print what its owner needs to use it."""
    if (email is None) == (username is None):
        raise click.UsageError("give either --email or --username")
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else secrets.token_urlsafe(15)

    async def create(services: Services) -> None:
        from domain import accounts
        from domain.inputs import parse

        if username is not None:
            named = parse(accounts.RegisterUsername, {"username": username})
            made = await accounts.register_username(services, named)
        else:
            given = parse(accounts.RegisterEmail, {"email": email, "password": password})
            made = await accounts.register_email(services, given)
        click.echo(f"Account: {made.account.email or made.account.username}")
        if made.account.email and not password_stdin:
            click.echo(f"Password: {password}")
        click.echo(f"API key: {made.api_key}")

    _operate(create)


@main.command("reset-password")
@click.argument("account")
@click.option("--revoke-keys", is_flag=True, help="End all API keys of the account too.")
def reset_password(account: str, revoke_keys: bool) -> None:
    """Let somebody in again: print a new password for ACCOUNT, an e-mail address or a username.

    Every token ends. An account without an e-mail address gets an API key instead.
    """

    async def reset(services: Services) -> None:
        from domain import recovery

        made = await recovery.reset_password(services, account, revoke_keys=revoke_keys)
        click.echo(f"Account: {made.account.email or made.account.username}")
        click.echo(f"Password: {made.password}" if made.password else f"API key: {made.api_key}")

    _operate(reset)


@main.command("delete-user")
@click.argument("account")
@click.option("--yes", is_flag=True, help="Do not ask.")
def delete_user(account: str, yes: bool) -> None:
    """Delete ACCOUNT, an e-mail address or a username, with everything of its own.

    What it wrote into teams stays there. Teams that it owns and where others are must be handed
    over first. Servers may run meanwhile.
    """
    if not yes:
        click.confirm(f"Delete {account} and everything that it keeps, for good?", abort=True)

    async def delete(services: Services) -> None:
        from domain import erasure

        gone = await erasure.delete_named(services, account)
        click.echo(f"Deleted: {gone.account_id}")
        for name in gone.teams:
            click.echo(f"Deleted with it, as nobody else was in it: {name}")

    _operate(delete)


@main.command()
def reindex() -> None:
    """Read every kept conversation anew: messages, search and token usage. Servers may run on."""

    async def read(services: Services) -> None:
        due = await services.reader.begin_again()
        done = await services.reader.read_all()
        click.echo(f"{due} conversations were due, {done} of them were read here.")

    _operate(read)


@main.command()
def prune() -> None:
    """Forget what the log need not know any more; a running server does it every hour."""

    async def forget(services: Services) -> None:
        from domain import pruning

        settings = services.settings
        done = await pruning.prune(services.db, settings.log_retention, settings.audit_retention)
        click.echo(
            f"Pruned {done.entries} log entries, {done.tombstones} tombstones and "
            f"{done.events} events of the audit log."
        )
        if not done.complete:
            click.echo("A server is pruning at this moment; it does the rest.")

    _operate(forget)


@main.command()
def scrub() -> None:
    """Read every stored block and prove every version; status 1 when something is damaged.

    Servers may run meanwhile.
    """
    from upkeep import scrub_all

    with _attached(_load_settings({})) as ready:
        sys.exit(_told_storage(scrub_all(ready, click.echo)))


@main.command()
@click.option("--grace", default="24h", help="How long an unused block stays; otherwise 24h.")
def gc(grace: str) -> None:
    """Delete the blocks that nothing refers to any more. Servers may run meanwhile."""
    from upkeep import collect

    try:
        kept_for = parse_duration(grace)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--grace") from None
    with _attached(_load_settings({})) as ready:
        sys.exit(_told_storage(collect(ready, kept_for, click.echo)))


@main.command("export-schema")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="Otherwise stdout.")
def export_schema(output: Path | None) -> None:
    """Print the GraphQL schema in its definition language."""
    from graph.build import schema

    text = schema.as_str().rstrip("\n") + "\n"
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text, "utf-8")


def read_env_file(path: Path) -> dict[str, str]:
    """Return the variables of a `.env` file: `NAME=value` lines, `export` and quotes allowed.

    A missing file gives none. Raises SettingsError naming the line that is none of that.
    """
    if not path.is_file():
        return {}
    values: dict[str, str] = {}
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        text = line.strip().removeprefix("export ").strip()
        if not text or text.startswith("#"):
            continue
        name, equals, value = text.partition("=")
        if not equals or not name.strip().isidentifier():
            raise SettingsError(f"{path}, line {number}: expected NAME=value")
        values[name.strip()] = _unquoted(value.strip())
    return values


def _unquoted(value: str) -> str:
    if value[:1] in {'"', "'"} and (end := value.find(value[0], 1)) > 0:
        return value[1:end]
    return value.split(" #", 1)[0].rstrip()


def _load_settings(overrides: Mapping[str, str]) -> Settings:
    try:
        environ = {**read_env_file(Path(".env")), **os.environ, **overrides}
        return Settings.from_env(environ)
    except SettingsError as error:
        raise click.ClickException(str(error)) from None


@contextmanager
def _prepared(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with a database that is running and migrated, and a JWT secret."""
    from db.dsn import DsnError
    from db.embedded import EmbeddedPostgres, EmbeddedPostgresError
    from db.migrate import MigrationError, upgrade
    from db.secret_file import ensure_secret

    os.umask(0o077)  # whatever the server writes is for its own user
    postgres = None if settings.database_url else EmbeddedPostgres(settings.data_dir)
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        jwt_secret = settings.jwt_secret or ensure_secret(settings.data_dir, "jwt-secret")
        database_url = settings.database_url or (postgres.start() if postgres else "")
        asyncio.run(upgrade(database_url, settings.database_role))
        yield settings.model_copy(update={"database_url": database_url, "jwt_secret": jwt_secret})
    except (DsnError, EmbeddedPostgresError, MigrationError) as error:
        raise click.ClickException(str(error)) from error
    except PermissionError as error:
        raise click.ClickException(f"{error.strerror}: {error.filename}") from error
    finally:
        if postgres is not None:
            postgres.stop()


def _operate(operation: Callable[[Services], Awaitable[None]]) -> None:
    """Run an operator's command on the database, also while a server uses it."""
    from db.errors import DatabaseUnavailableError
    from domain.errors import Fault, Invalid

    try:
        with _attached(_load_settings({})) as ready:
            asyncio.run(_with_services(ready, operation))
    except Invalid as invalid:
        said = "; ".join(f"{problem.path[-1]} {problem.message}" for problem in invalid.problems)
        raise click.ClickException(said) from None
    except Fault as fault:
        raise click.ClickException(fault.message) from None
    except DatabaseUnavailableError:
        raise click.ClickException("the database does not answer") from None


async def _with_services(
    settings: Settings, operation: Callable[[Services], Awaitable[None]]
) -> None:
    from app import build_services

    services = build_services(settings)
    try:
        await operation(services)
    finally:
        await services.reader.stop()
        services.passwords.close()
        await services.custody.close()
        await services.db.close()


@contextmanager
def _attached(settings: Settings) -> Iterator[Settings]:
    """Yield the settings with the database of a server that runs, or with one of our own."""
    from db.embedded import EmbeddedPostgres
    from db.secret_file import ensure_secret

    _stop_on_signals()
    os.umask(0o077)
    dsn = None if settings.database_url else EmbeddedPostgres(settings.data_dir).running()
    if dsn is not None:
        secret = settings.jwt_secret or ensure_secret(settings.data_dir, "jwt-secret")
        yield settings.model_copy(update={"database_url": dsn, "jwt_secret": secret})
        return
    with _prepared(settings) as ready:
        yield ready


def _told_storage(work: Coroutine[Any, Any, int]) -> int:
    """The work's exit status; 2 with a line about it when database or store do not answer."""
    from db.errors import DatabaseUnavailableError, StorageUnavailableError

    try:
        return asyncio.run(work)
    except (DatabaseUnavailableError, StorageUnavailableError) as error:
        click.echo(f"Error: {(type(error).__doc__ or '').strip()}", err=True)
        return 2


@contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    """Yield a socket that has the port but does not listen: callers are refused until it does."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        where = f"{settings.host} port {settings.port}"
        raise click.ClickException(f"cannot listen on {where}: {error.strerror}") from None
    with listener:
        yield listener


def _run(settings: Settings, app: ASGIApp, listener: socket.socket, place: int) -> None:
    """Serve in this process, until a signal; the one in the first place says that it is ready."""
    from uvicorn import Server

    prepare_process()

    class Announcing(Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            if place == 0:
                _announce(settings, listener)

    Announcing(server_config(app, settings)).run([listener])


def _announce(settings: Settings, listener: socket.socket) -> None:
    port = listener.getsockname()[1]
    host = "localhost" if settings.host in {"0.0.0.0", "::"} else settings.host  # noqa: S104 - compared
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    click.echo(f"Teamlore is ready at {url} (data in {settings.data_dir})")
    sys.stdout.flush()


def _stop_on_signals() -> None:
    """Make SIGTERM and SIGINT end the program in good order, with status 0.

    While requests are served uvicorn has the signals: it drains, and then raises them again.
    """

    def stop(_number: int, _frame: FrameType | None) -> None:
        # A second signal must not interrupt the stopping.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(0)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)


if __name__ == "__main__":
    main()
