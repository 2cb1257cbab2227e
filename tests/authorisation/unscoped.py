"""A server that believes that everybody owns everything: `python -m tests.authorisation.unscoped`.

The application's scoping is off: no select is limited to scopes, and who asks is told to be the
owner of every scope there is. What is left between people is PostgreSQL's row-level security. No
setting does this; the shipped server cannot be told to.
"""

from __future__ import annotations

import sys
from typing import Any

from sqlalchemy import func, literal, select, true

import app  # noqa: F401 - so that every module that has the functions is there
import cli
from db import accounts, scope
from db.rows import AnySelect
from db.tables import accounts as account_table
from db.tables import scopes


def _no_limit(*_given: Any) -> Any:
    return true()


def _owner_of_everything() -> AnySelect:
    roles = (
        select(func.json_object_agg(scopes.c.id, literal("owner")))
        .where(scopes.c.deleted_at.is_(None))
        .scalar_subquery()
    )
    a = account_table.c
    return select(a.id, a.email, a.username, a.token_epoch, roles.label("roles"))


def loosen() -> None:
    """Take the first wall away, wherever it has been imported to."""
    walls = (scope.in_scopes, scope.mine_or_team)
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if any(value is wall for wall in walls):
                setattr(module, name, _no_limit)
    accounts._with_scopes = _owner_of_everything


if __name__ == "__main__":
    loosen()
    cli.main()
