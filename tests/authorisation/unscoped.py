"""A server that believes that everybody owns everything: `python -m tests.authorisation.unscoped`.

The application's scoping is off: no select is limited to scopes, and who asks is told to be the
owner of every scope there is. What is left between people is PostgreSQL's row-level security. No
setting does this; the shipped server cannot be told to.
"""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import true

import app  # noqa: F401 - so that every module that has the functions is there
import cli
from db import scope, who_asks

_OWNER_OF_EVERYTHING = """
    SELECT json_object_agg(s.id, 'owner')::text FROM scopes s WHERE s.deleted_at IS NULL
"""


def _no_limit(*_given: Any) -> Any:
    return true()


def loosen() -> None:
    """Take the first wall away, wherever it has been imported to."""
    walls = (scope.in_scopes, scope.in_scope, scope.mine_or_team)
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if any(value is wall for wall in walls):
                setattr(module, name, _no_limit)
    for query in ("_BY_ID", "_BY_KEY"):
        told = getattr(who_asks, query).replace(who_asks.ROLES, _OWNER_OF_EVERYTHING)
        assert told != getattr(who_asks, query)
        setattr(who_asks, query, told)


if __name__ == "__main__":
    loosen()
    cli.main()
