"""Community patterns: lists and search, contributing, taking back."""

from __future__ import annotations

from typing import Annotated

import strawberry
from strawberry import ID

from domain import contributions
from domain import patterns as operations
from domain.contributions import Withdrawal
from graph.context import Info
from graph.fields import computed
from graph.guards import signed_in
from graph.mapping import Many, One, mapped
from graph.schema import ids
from graph.schema.contribution import (
    ContributePatternsInput,
    ContributePatternsPayload,
    WithdrawContributionsInput,
    WithdrawContributionsPayload,
)
from graph.schema.paging import After, Before, First, Last, window
from graph.schema.pattern import (
    CommunityPattern,
    PatternConnection,
    PatternFilter,
    PatternOrder,
    pattern_page,
)
from graph.schema.pattern_statistics import PatternStatistics
from graph.schema.problems import InvalidInput, NotFoundProblem, mutation, parse_input


@mapped(
    patterns=Many("patterns"),
    pattern=One("named pattern"),
    pattern_statistics=One("pattern statistics"),
)
@strawberry.type
class PatternQueries:
    """Root fields about community patterns."""

    @computed(
        "What the community shares: patterns of at least three independent people. The best match "
        "comes first in a search, otherwise what most people share."
    )
    @signed_in
    async def patterns(
        self,
        info: Info,
        *,
        filter: Annotated[
            PatternFilter | None, strawberry.argument(description="Only some of them.")
        ] = None,
        order_by: Annotated[
            PatternOrder | None,
            strawberry.argument(
                description="What the list goes by; RELEVANCE in a search, otherwise REACH."
            ),
        ] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> PatternConnection:
        """A page of patterns."""
        asked = window(first, after, last, before)
        return await pattern_page(info, asked, filter, order_by)

    @computed("One pattern that the community sees; null for any other.")
    @signed_in
    async def pattern(
        self, info: Info, id: Annotated[ID, strawberry.argument(description="The pattern's id.")]
    ) -> CommunityPattern | None:
        """A visible pattern."""
        uuid = ids.decode("CommunityPattern", id, "id")
        found = await info.context.loaders.patterns.load(uuid)
        return None if found is None else CommunityPattern.of(found)

    @computed("The community in numbers.")
    @signed_in
    async def pattern_statistics(self, info: Info) -> PatternStatistics:
        """How much the community shares."""
        return PatternStatistics.of(await operations.statistics(info.context.services))


@strawberry.type
class PatternMutations:
    """Root mutations about community patterns."""

    @mutation(
        ContributePatternsPayload,
        [InvalidInput],
        "Offer patterns to the community. Nobody learns who offered what; what may not be shared "
        "with strangers is refused with the reasons.",
    )
    @signed_in
    async def contribute_patterns(
        self, info: Info, input: ContributePatternsInput
    ) -> ContributePatternsPayload:
        """Contribute patterns."""
        offered = [item.to_wire() for item in input.patterns]
        data = parse_input(operations.Contribution, input, patterns=offered)
        done = await operations.contribute(info.context.services, info.context.actor, data)
        return ContributePatternsPayload.of(done)

    @mutation(
        WithdrawContributionsPayload,
        [InvalidInput, NotFoundProblem],
        "Take back what you contributed; what too few people share then disappears.",
    )
    @signed_in
    async def withdraw_contributions(
        self, info: Info, input: WithdrawContributionsInput
    ) -> WithdrawContributionsPayload:
        """Withdraw contributions."""
        named = [
            ids.decode("CommunityPattern", id, "input", "ids", str(index))
            for index, id in enumerate(input.ids or ())
        ]
        data = parse_input(Withdrawal, input, ids=named)
        gone = await contributions.withdraw(info.context.services, info.context.actor, data)
        return WithdrawContributionsPayload(
            withdrawn_ids=[ids.encode("CommunityPattern", id) for id in gone]
        )
