"""What all tests share: one PostgreSQL a run, one database a test, and the real server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from settings import Settings
from tests.support.dial import PROVING
from tests.support.places import Place, bucket_place, folder_place
from tests.support.postgres import FAST_SETTINGS, fresh_database, make_template
from tests.support.process import ServerProcess
from tests.support.s3 import S3, s3_server
from tests.support.server import RunningServer, running_server

JWT_SECRET = "a secret for tests and nothing else"

Serve = Callable[[Settings], Awaitable[RunningServer]]
ServeProcess = Callable[..., ServerProcess]


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The DSN of the run's own PostgreSQL server."""
    server = EmbeddedPostgres(tmp_path_factory.mktemp("postgres"), settings=FAST_SETTINGS)
    try:
        yield server.start()
    finally:
        server.stop()


@pytest.fixture(scope="session")
async def migrated_postgres(postgres: str) -> str:
    """The same, with the template database in place."""
    await make_template(postgres)
    return postgres


@pytest.fixture
async def database_url(migrated_postgres: str) -> AsyncIterator[str]:
    """The DSN of a database that this test has for itself."""
    async with fresh_database(migrated_postgres) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    """The run's own S3 server."""
    with s3_server(tmp_path_factory.mktemp("s3") / "moto.log") as server:
        yield server


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run what keeps blocks with a folder, and with an S3 bucket where it is marked or proven."""
    if "blocks" in metafunc.fixturenames:
        both = PROVING or metafunc.definition.get_closest_marker("on_s3")
        metafunc.parametrize("blocks", ["folder", "s3"] if both else ["folder"], indirect=True)


@pytest.fixture
def blocks(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Place:
    """Where blocks are kept: a folder, and for tests marked `on_s3` also a bucket."""
    if request.param == "folder":
        return folder_place(tmp_path / "data" / "blobs")
    place = bucket_place(request.getfixturevalue("s3"))
    for name, value in place.environ.items():
        monkeypatch.setenv(name, value)
    return place


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Settings for one test; `settings.model_copy(update={...})` for others."""
    return Settings(
        environment="test",
        data_dir=tmp_path / "data",
        database_url=database_url,
        jwt_secret=JWT_SECRET,
        bcrypt_rounds=4,
        port=0,
    )


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """A factory: `server = await serve(settings)`, for as long as the test runs."""
    async with AsyncExitStack() as servers:

        async def start(settings: Settings) -> RunningServer:
            return await servers.enter_async_context(running_server(settings))

        yield start


@pytest.fixture
async def server(serve: Serve, settings: Settings) -> RunningServer:
    """The real server on a database of its own."""
    return await serve(settings)


@pytest.fixture
def serve_process(tmp_path: Path, database_url: str) -> Iterator[ServeProcess]:
    """A factory: `server = serve_process()` runs `python -m cli serve` and waits until it answers.

    `serve_process(env={...})` adds variables; `DATABASE_URL=""` asks for the embedded PostgreSQL.
    """
    started: list[ServerProcess] = []

    def start(
        env: Mapping[str, str] | None = None, *arguments: str, wait: bool = True
    ) -> ServerProcess:
        folder = tmp_path / f"server-{len(started)}"
        folder.mkdir()
        environ = {
            "DATABASE_URL": database_url,
            "JWT_SECRET": JWT_SECRET,
            "TEAMLORE_DATA": str(tmp_path / "server-data"),
            "PORT": "0",
            **(env or {}),
        }
        server = ServerProcess(environ, folder, *arguments)
        started.append(server)
        if wait:
            server.wait_ready()
        return server

    yield start
    for server in started:
        server.terminate()
