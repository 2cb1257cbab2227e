"""Several server processes behind one socket: what `serve` does when WORKERS is more than one.

Each is forked once the program is loaded, whose memory they share, and has everything else for
itself: its loop, its connections, its LISTEN. One that dies is started again, though no more than a
few times in a minute; a signal to stop reaches all, and so does the death of the first process.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import FrameType

RESTARTS, WITHIN_SECONDS = 10, 60.0
LOOK_SECONDS = 0.1
ORPHAN_SECONDS = 1.0
_SIGNALS = (signal.SIGTERM, signal.SIGINT)
_logger = logging.getLogger(__name__)


class Workers:
    """Runs `work(place)`, with places from 0, until a signal or until they keep dying."""

    def __init__(self, number: int, work: Callable[[int], None]) -> None:
        self._number, self._work = number, work
        self._running: dict[int, int] = {}
        """Process to place."""
        self._deaths: deque[float] = deque(maxlen=RESTARTS)
        self._stopping = False

    def run(self) -> None:
        """Returns when all have ended; a single one runs in this process.

        Raises SystemExit with status 1 when they kept dying.
        """
        if self._number == 1:
            self._work(0)
            return
        former = {number: signal.signal(number, self._stop) for number in _SIGNALS}
        try:
            for place in range(self._number):
                self._start(place)
            while self._running:
                time.sleep(LOOK_SECONDS)
                for process in list(self._running):
                    self._look(process)
        finally:
            for number, handler in former.items():
                signal.signal(number, handler)
        if self._failing():
            raise SystemExit(1)

    def _start(self, place: int) -> None:
        parent, process = os.getpid(), os.fork()
        if process:
            self._running[process] = place
            if self._stopping:  # the signal came while it was made
                _send(process, signal.SIGTERM)
            return
        status = 1
        try:
            for number in _SIGNALS:
                signal.signal(number, lambda *_: sys.exit(0))
            threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
            self._work(place)
            status = 0
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 1
        except KeyboardInterrupt:
            status = 0
        except BaseException:
            _logger.exception("A server process failed")
        finally:
            os._exit(status)  # what is the parent's to clean up stays

    def _look(self, process: int) -> None:
        """Whether it still runs; another in its place if not. Other children are not waited for."""
        ended, status = os.waitpid(process, os.WNOHANG)
        if not ended:
            return
        place = self._running.pop(process)
        if self._stopping:
            return
        _logger.error("Server process %s ended with status %s", process, status)
        self._deaths.append(time.monotonic())
        if self._failing():
            self._stop(signal.SIGTERM, None)
        else:
            self._start(place)

    def _failing(self) -> bool:
        full = len(self._deaths) == RESTARTS
        return full and self._deaths[-1] - self._deaths[0] < WITHIN_SECONDS

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        self._stopping = True
        for process in self._running:
            _send(process, number)


def _end_with(parent: int) -> None:
    """Stop this process once its parent is gone, however that ended."""
    while os.getppid() == parent:
        time.sleep(ORPHAN_SECONDS)
    os.kill(os.getpid(), signal.SIGTERM)


def _send(process: int, number: int) -> None:
    try:
        os.kill(process, number)
    except ProcessLookupError:
        return
