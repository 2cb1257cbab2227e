"""The embedded PostgreSQL survives what happens to processes and folders."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import psutil
import pytest

from db.embedded import EmbeddedPostgres, EmbeddedPostgresError, cluster
from db.embedded.identity import Identity
from tests.support.dial import dial
from tests.support.postgres import FAST_SETTINGS
from tests.support.process import ROOT

# Starts PostgreSQL on a folder, says so, and stays until somebody ends it.
OWNER = """
import sys, time
from pathlib import Path
from db.embedded import EmbeddedPostgres
print(EmbeddedPostgres(Path(sys.argv[1]), settings={"fsync": "off"}).start(), flush=True)
time.sleep(600)
"""


def embedded(folder: Path) -> EmbeddedPostgres:
    return EmbeddedPostgres(folder, settings=FAST_SETTINGS)


async def run(dsn: str, *statements: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            value = await connection.fetchval(statement)
        return value
    finally:
        await connection.close()


def postmaster(folder: Path) -> psutil.Process:
    pid = (folder / "postgres/postmaster.pid").read_text().split("\n", 1)[0]
    return psutil.Process(int(pid))


def wait_gone(process: psutil.Process, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    # An orphan stays a zombie until the system's first process collects it.
    with suppress(psutil.NoSuchProcess):  # also between the two questions
        while process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
            assert time.monotonic() < deadline, f"{process} is still there"
            time.sleep(0.02)


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that started PostgreSQL on `tmp_path/data`."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path / "data")],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


async def test_it_starts_keeps_data_over_a_restart_and_starts_again_quickly(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with embedded(folder) as first:
        await run(first.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")

    began = time.monotonic()
    with embedded(folder) as second:
        took = time.monotonic() - began
        assert await run(second.dsn, "SELECT answer FROM kept") == 42
    assert took < dial(12, 1.5)


async def test_the_cluster_is_utf8_checksummed_and_listens_on_no_port(tmp_path: Path) -> None:
    with embedded(tmp_path / "data") as server:
        dsn = server.dsn
        assert await run(dsn, "SHOW server_encoding") == "UTF8"
        assert await run(dsn, "SHOW data_checksums") == "on"
        assert await run(dsn, "SHOW listen_addresses") == ""
        assert await run(dsn, "SELECT upper('ß é') || lower('ÀΣ')") == "ß Éàσ"
        listening = [
            connection
            for connection in postmaster(tmp_path / "data").net_connections()
            if connection.status == psutil.CONN_LISTEN
        ]
        assert listening == []


def test_folders_are_private_and_nothing_is_left_after_a_stop(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with embedded(folder):
        runtime_dir = (folder / "run").resolve()
        master = postmaster(folder)
        for path in (folder, folder / "postgres", runtime_dir):
            assert path.stat().st_mode & 0o777 == 0o700, path
        assert (folder / "postgres.log").stat().st_mode & 0o777 == 0o600
    wait_gone(master, 0)
    assert not runtime_dir.exists()
    assert not (folder / "run").is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has rights to drop")
def test_root_runs_it_as_somebody_else_even_below_a_closed_folder(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    with embedded(closed / "data"):
        assert postmaster(closed / "data").uids().effective != 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_an_ordinary_user_runs_it_as_is() -> None:
    nobody = Identity(65534, 65534)
    try:
        reachable = nobody.run([sys.executable, "-c", ""]).returncode == 0
    except PermissionError:
        reachable = False
    if not reachable or not nobody.can_enter(ROOT):
        pytest.skip("this checkout or its Python is closed to other users")
    script = OWNER.replace("time.sleep(600)", "")
    with tempfile.TemporaryDirectory() as folder:  # pytest's own is closed to others
        nobody.take(Path(folder))
        command = [sys.executable, "-c", script, f"{folder}/data"]
        finished = nobody.run(["/usr/bin/env", f"PYTHONPATH={ROOT}", *command])
        assert finished.stdout.startswith("postgresql://"), finished.stdout
        assert (Path(folder) / "data/postgres").stat().st_uid == 65534


def test_it_stops_when_its_owner_is_killed(owner: subprocess.Popen[str], tmp_path: Path) -> None:
    master = postmaster(tmp_path / "data")
    owner.kill()
    wait_gone(master, 5)


async def test_a_killed_owner_is_followed_at_once(
    owner: subprocess.Popen[str], tmp_path: Path
) -> None:
    owner.kill()
    owner.wait()
    with embedded(tmp_path / "data") as server:
        assert await run(server.dsn, "SELECT 1") == 1


async def test_owner_and_supervisor_killed_together_are_followed_too(
    owner: subprocess.Popen[str], tmp_path: Path
) -> None:
    orphan = postmaster(tmp_path / "data")
    supervisor = orphan.parent()
    assert supervisor is not None
    supervisor.kill()
    owner.kill()
    owner.wait()
    assert orphan.is_running()
    with embedded(tmp_path / "data") as server:
        assert await run(server.dsn, "SELECT 1") == 1
    wait_gone(orphan, 0)


async def test_a_postgresql_that_is_killed_comes_back_with_what_was_committed(
    tmp_path: Path,
) -> None:
    with EmbeddedPostgres(tmp_path / "data") as server:
        await run(server.dsn, "CREATE TABLE kept AS SELECT 42 AS answer")
        killed = postmaster(tmp_path / "data")
        killed.kill()
        deadline = time.monotonic() + 5
        while True:
            try:
                assert await run(server.dsn, "SELECT answer FROM kept") == 42
                break
            except (OSError, asyncpg.PostgresError):
                assert time.monotonic() < deadline
                await asyncio.sleep(0.02)
        assert postmaster(tmp_path / "data") != killed


async def test_a_stale_pid_file_that_names_a_living_process_does_not_matter(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with embedded(folder):
        pid_file = folder / "postgres/postmaster.pid"
        lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    with embedded(folder) as server:
        assert await run(server.dsn, "SELECT 1") == 1


def test_a_folder_in_use_is_refused_naming_the_process(
    owner: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(EmbeddedPostgresError, match=f"already used by process {owner.pid}"):
        embedded(tmp_path / "data").start()
    assert postmaster(tmp_path / "data").is_running()


async def test_an_interrupted_first_start_is_done_again(tmp_path: Path) -> None:
    draft = tmp_path / "data/postgres.new"
    draft.mkdir(parents=True, mode=0o700)
    (draft / "PG_VERSION").write_text("18\n")
    with embedded(tmp_path / "data") as server:
        assert await run(server.dsn, "SELECT 1") == 1
    assert not draft.exists()


def test_a_failing_initdb_leaves_no_cluster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(cluster._TUNING, "shared_buffers", "nonsense")
    with pytest.raises(EmbeddedPostgresError, match="initdb failed"):
        embedded(tmp_path / "data").start()
    assert not (tmp_path / "data/postgres").exists()
    monkeypatch.undo()
    with embedded(tmp_path / "data"):
        pass


def test_a_cluster_of_another_major_version_is_refused_naming_both(tmp_path: Path) -> None:
    with embedded(tmp_path / "data"):
        pass
    (tmp_path / "data/postgres/PG_VERSION").write_text("15\n")
    with pytest.raises(EmbeddedPostgresError, match=r"PostgreSQL 15.*PostgreSQL 18"):
        embedded(tmp_path / "data").start()


def test_a_folder_with_something_else_in_it_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "data/postgres/thesis.txt"
    precious.parent.mkdir(parents=True)
    precious.write_text("years of work")
    with pytest.raises(EmbeddedPostgresError, match="not empty"):
        embedded(tmp_path / "data").start()
    assert precious.read_text() == "years of work"


def test_a_setting_that_postgresql_refuses_is_reported_with_its_own_words(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedPostgresError, match="shared_buffers"):
        EmbeddedPostgres(tmp_path / "data", settings={"shared_buffers": "lots"}).start()
    with embedded(tmp_path / "data"):
        pass  # and the folder is free again


async def test_a_deep_folder_and_one_with_odd_letters_work(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "Übung, mit: Leerzeichen"
    with embedded(deep) as server:
        assert await run(server.dsn, "SELECT 1") == 1


def test_signals_meant_for_the_server_do_not_reach_it(
    owner: subprocess.Popen[str], tmp_path: Path
) -> None:
    master = postmaster(tmp_path / "data")
    assert os.getpgid(master.pid) != os.getpgid(owner.pid)
    supervisor = master.parent()
    assert supervisor is not None
    for ignored in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        supervisor.send_signal(ignored)
    time.sleep(0.2)
    assert supervisor.is_running()
    assert master.is_running()


def test_the_log_is_kept_small(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data/postgres.log").write_bytes(b"x" * 5_000_000)
    with embedded(tmp_path / "data") as server:
        pass
    assert server.log.stat().st_size < 100_000
    assert server.log.with_name("postgres.log.1").stat().st_size > 5_000_000
