"""Several server processes behind one port."""

from __future__ import annotations

import os
import signal
import time

import httpx
import psutil

from tests.conftest import ServeProcess


def test_a_worker_that_dies_is_replaced_and_a_signal_stops_them_all(
    serve_process: ServeProcess,
) -> None:
    server = serve_process({"WORKERS": "2"})
    first = _workers(server.pid)
    assert len(first) == 2
    os.kill(first[0], signal.SIGKILL)
    deadline = time.monotonic() + 15
    while set(now := _workers(server.pid)) == set(first) or len(now) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert httpx.get(f"{server.url}/health").status_code == 200
    assert server.terminate() == 0
    assert not any(_runs(process) for process in now)


def test_workers_end_with_the_process_that_started_them(serve_process: ServeProcess) -> None:
    server = serve_process({"WORKERS": "2"})
    workers = _workers(server.pid)
    server.kill()
    deadline = time.monotonic() + 15
    while any(_runs(process) for process in workers):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _workers(parent: int) -> list[int]:
    """The processes that serve for this one."""
    return [child.pid for child in psutil.Process(parent).children()]


def _runs(process: int) -> bool:
    try:
        return psutil.Process(process).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
