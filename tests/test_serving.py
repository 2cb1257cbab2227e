"""The log: readable, and never a leak."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from serving import configure_logging
from settings import Settings

Environment = Literal["production", "development"]


@pytest.fixture
def root_logger() -> Iterator[logging.Logger]:
    """The root logger, put back afterwards."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield root
    root.handlers[:], root.level = handlers, level


def _logged(environment: Environment, capsys: pytest.CaptureFixture[str]) -> str:
    settings = Settings(environment=environment, data_dir=Path("/nowhere"), jwt_secret="x" * 16)
    configure_logging(settings)
    conversation = "what nobody else may read"
    try:
        len(conversation) / 0
    except ZeroDivisionError as error:
        logging.getLogger("here").error("incident %s", "abc", exc_info=error)
    return capsys.readouterr().err


@pytest.mark.parametrize("environment", ["production", "development"])
def test_tracebacks_show_no_values(
    environment: Environment, root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    logged = _logged(environment, capsys)
    assert "ZeroDivisionError" in logged
    assert "incident abc" in logged
    assert "nobody else may read" not in logged


def test_production_logs_one_json_object_a_line(
    root_logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    (line,) = _logged("production", capsys).splitlines()
    record = json.loads(line)
    assert (record["event"], record["level"], record["logger"]) == ("incident abc", "error", "here")
