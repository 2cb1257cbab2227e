"""Drawing the community's numbers: once a week, with noise, within a budget.

How many share a pattern, how well it works and how many contribute are told only as drawn here,
and stay as they are until the next draw: asking again tells nothing more. What one account
contributes is hidden by differential privacy (Dwork, McSherry, Nissim and Smith 2006); what that
costs is noted in a ledger, which refuses what is more than its budget. See
docs/community-privacy.md.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from db import drawn_numbers as rows
from db import patterns as pattern_rows
from db.drawn_numbers import Drawn, Line, Sums
from db.engine import Connection, Database
from db.patterns import REACH_MIN
from db.tables import COUNTED_MAX
from domain.noise import Mechanism, mechanism
from domain.publication import COMMUNITY_WORK

UNIT: Final = 100
"""Numbers are counted in hundredths: of a person, of a rating."""
SENSITIVITY: Final = UNIT * (1 + COUNTED_MAX * 2)
"""One account adds itself to the contributors; to each of so many patterns itself and a rating."""
CONFIDENCE: Final = 0.95

_logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Draws:
    """Draws the numbers of every week once, whichever process comes first."""

    epsilon: Decimal
    """What one draw may cost."""
    budget: Decimal
    """What all draws together may cost."""
    _refused: datetime | None = None

    async def __call__(self, db: Database) -> int:
        """Draw this week's numbers unless that was done; of how many patterns."""
        async with db.read(COMMUNITY_WORK) as connection:
            if not await self._is_due(connection):
                return 0
        async with db.begin(COMMUNITY_WORK) as connection:
            await rows.lock_ledger(connection)
            if not await self._is_due(connection):
                return 0
            return await self._draw(connection)

    async def _is_due(self, connection: Connection) -> bool:
        """Whether this week has something to draw and the means; what is asked for is public."""
        week, last = await pattern_rows.this_week(connection), await rows.latest(connection)
        if (last is not None and last.epoch >= week) or not await rows.any_shown(connection):
            return False
        if self._spent(last) + self.epsilon <= self.budget:
            return True
        if self._refused != week:
            self._refused = week
            _logger.warning(
                "The community's numbers stay as they were drawn: of PATTERN_EPSILON_TOTAL %s are "
                "spent, and another draw costs %s",
                self._spent(last),
                self.epsilon,
            )
        return False

    async def _draw(self, connection: Connection) -> int:
        week, last = await pattern_rows.this_week(connection), await rows.latest(connection)
        exact, contributors = await rows.sums(connection)
        noise = mechanism(SENSITIVITY, float(self.epsilon))
        drawn, people = await asyncio.to_thread(released, noise, exact, contributors)
        await rows.store(connection, drawn, week)
        margin = round(noise.margin(CONFIDENCE) / UNIT)
        spent = self._spent(last) + self.epsilon
        await rows.charge(connection, Line(week, self.epsilon, spent, self.budget, people, margin))
        return len(drawn)

    def _spent(self, last: Line | None) -> Decimal:
        return Decimal(0) if last is None else last.spent


def released(noise: Mechanism, exact: Sequence[Sums], contributors: int) -> tuple[list[Drawn], int]:
    """What is told of each pattern, and how many contribute: one release by the mechanism.

    What follows the noise sees nothing but released numbers and what is public anyway.
    """
    numbers = noise.release(list(_counted(exact, contributors)))
    told = iter(numbers)
    people = max(0, round(next(told) / UNIT))
    return [_told(pattern, told) for pattern in exact], people


def _counted(exact: Sequence[Sums], contributors: int) -> Iterator[int]:
    yield contributors * UNIT
    for pattern in exact:
        yield pattern.people * UNIT
        if pattern.rated:
            yield pattern.praise
            yield pattern.blame


def _told(pattern: Sums, numbers: Iterator[int]) -> Drawn:
    reach = max(REACH_MIN, round(next(numbers) / UNIT))
    effectiveness = _mean(next(numbers), next(numbers)) if pattern.rated else None
    return Drawn(pattern.pattern_id, reach, effectiveness)


def _mean(praise: int, blame: int) -> float:
    """The mean rating in tenths. At least three people rate, so that little noise is no extreme."""
    ratings = max(REACH_MIN * UNIT, praise + blame)
    return round(min(1.0, max(0.0, 0.5 + (praise - blame) / (2 * ratings))), 1)
