"""How PostgreSQL reads what the plan asks it: no table before somebody has been claimed."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
from graphql import OperationDefinitionNode, parse

from db.dsn import to_libpq_dsn
from db.server_role import SERVER_ROLE, assume
from tests.graph.plan import dashboard
from tests.graph.plan.both import Both
from tests.graph.plan.documents import CASES, PLANNED, written

_logger = logging.getLogger(__name__)


def unclaimed(node: Any, above: bool = False) -> Iterator[str]:
    """The tables that a plan may read before its claim is made.

    A claim is the one-time filter of a node further up, and nothing else is such a filter here.
    """
    claimed = above or "One-Time Filter" in node
    if not claimed and "Relation Name" in node:
        yield node["Relation Name"]
    for part in node.get("Plans", ()):
        yield from unclaimed(part, claimed)


async def test_every_statement_claims_before_it_reads(both: Both) -> None:
    """Statements of several people go in one transaction: each has to begin with its own claim."""
    asked: list[tuple[str, dict[str, Any]]] = [
        (written(text, **both.estate.ids), {}) for text in (*CASES.values(), *PLANNED.values())
    ]
    for name, text in dashboard.documents().items():
        asked += [(text, given) for given in dashboard.variables(name, text, both.estate)]
    statements = set()
    for text, variables in asked:
        document = parse(text)
        operation = document.definitions[0]
        assert isinstance(operation, OperationDefinitionNode)
        bound = both.planner.bind(document, operation, variables)
        if bound is not None and bound.plan is not None:
            statements.add((bound.plan.sql, len(bound.plan.parameters)))
    connection = await asyncpg.connect(to_libpq_dsn(both.services.db.dsn))
    await assume(connection, SERVER_ROLE)
    await connection.execute("SET plan_cache_mode = force_generic_plan")
    for sql, parameters in statements:
        await connection.execute(f"PREPARE asked AS {sql}")
        given = f"({', '.join(['NULL'] * parameters)})" if parameters else ""
        shown = await connection.fetchval(f"EXPLAIN (VERBOSE, FORMAT JSON) EXECUTE asked{given}")
        await connection.execute("DEALLOCATE asked")
        assert "teamlore_claim" in shown or "Relation Name" not in shown, sql
        assert list(unclaimed(json.loads(shown)[0]["Plan"])) == [], (sql, shown)
    await connection.close()
    _logger.info("%d statements", len(statements))
    assert len(statements) > 40
