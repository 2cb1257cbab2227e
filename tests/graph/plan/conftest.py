"""The two ways to answer, over a team of everybody with something of everything."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest

from app import build_services
from domain import accounts
from graph.build import core_schema, schema
from graph.execution import Engine
from graph.plan import planner as planning
from graph.plan.planner import Planner
from settings import Settings
from tests.conftest import Serve
from tests.graph.plan import estate
from tests.graph.plan.both import Both

_logger = logging.getLogger(__name__)


@pytest.fixture
async def both(
    serve: Serve, settings: Settings, caplog: pytest.LogCaptureFixture
) -> AsyncIterator[Both]:
    """Both engines over an estate, for everybody. No statement may fail, nor its function."""
    made = await estate.build(await serve(settings))
    services = build_services(settings)
    credentials = {name: caller.token or "" for name, caller in made.people.items()} | made.keys
    actors = {
        name: await accounts.authenticate(services, credential)
        for name, credential in credentials.items()
    }
    planner = Planner(schema, services.reads, settings)
    core = core_schema()
    both = Both(services, Engine(core, planner=planner), Engine(core), planner, actors, made)
    yield both
    shares = 100 * both.share("planned"), 100 * both.share("planned", "asked")
    counts = dict(planner.outcomes)
    _logger.info(
        "by the plan alone %.0f%%, with what is asked beside it %.0f%%: %s", *shares, counts
    )
    failed = [r.getMessage() for r in caplog.get_records("call") if r.name == planning.__name__]
    assert not failed
    await services.reads.close()
    await services.db.close()
