"""What one gives to the community: offering it, looking at it, taking it back."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Annotated, Any
from uuid import UUID

import strawberry
from pydantic.alias_generators import to_camel
from strawberry import ID

from domain import contributions
from domain.contributions import OwnContribution
from domain.patterns import Contributed, Refusal, Taken
from graph.context import Info
from graph.fields import computed
from graph.schema import ids
from graph.schema.paging import Connection, Place, Window, connection
from graph.schema.pattern import CommunityPattern, PatternType
from graph.schema.scalars import EpochMillis


@strawberry.type(description="What you say of a community pattern. Only you see it as yours.")
class Contribution:
    """A contribution as its contributor sees it."""

    category: str = strawberry.field(description="What you said it is about.")
    approach: str = strawberry.field(
        description="What works, as you spelled it; the community is shown a spelling only where "
        "three people share it."
    )
    type: PatternType = strawberry.field(description="What kind of pattern you called it.")
    platform: str | None = strawberry.field(description="The platform that you named.")
    tags: list[str] = strawberry.field(description="The tags that you gave it.")
    effectiveness: float | None = strawberry.field(description="How well you said it works.")
    first_seen: EpochMillis = strawberry.field(description="When you met it first.")
    last_seen: EpochMillis = strawberry.field(description="When you met it last.")
    counts_from: datetime | None = strawberry.field(
        description="When it begins to count, as your account is new; null when it does."
    )
    pattern_uuid: strawberry.Private[UUID]

    @computed("The id of the pattern, whether the community sees it or not.")
    def pattern_id(self) -> ID:
        """The global id of the pattern."""
        return ids.encode("CommunityPattern", self.pattern_uuid)

    @computed("The pattern as the community sees it; null while too few people share it.")
    async def pattern(self, info: Info) -> CommunityPattern | None:
        """The pattern, if it is visible."""
        found = await info.context.loaders.patterns.load(self.pattern_uuid)
        return None if found is None else CommunityPattern.of(found)

    @classmethod
    def of(cls, own: OwnContribution) -> Contribution:
        """The GraphQL view of a contribution."""
        return cls(
            category=own.category,
            approach=own.approach,
            type=PatternType(own.type),
            platform=own.platform,
            tags=list(own.tags),
            effectiveness=own.effectiveness,
            first_seen=EpochMillis(own.first_seen),
            last_seen=EpochMillis(own.last_seen),
            counts_from=own.counts_from,
            pattern_uuid=own.pattern_id,
        )


async def contribution_page(info: Info, asked: Window) -> Connection[Contribution]:
    """A page of the caller's contributions, in an order that tells nothing."""
    services, actor = info.context.services, info.context.actor
    after = None if asked.after is None else asked.after.id
    rows = await contributions.page(services, actor, limit=asked.fetch, after=after)
    return connection(
        rows,
        asked,
        Contribution.of,
        lambda own: Place(0, own.pattern_id),
        lambda: contributions.count(services, actor),
    )


@strawberry.input(description="Something that you found to work, in general terms.")
class PatternInput:
    """A pattern to offer."""

    type: PatternType = strawberry.field(description="What kind of pattern it is.")
    category: str = strawberry.field(description="What it is about; 1 to 255 characters.")
    approach: str = strawberry.field(
        description="What works, without names, paths, addresses, links, secrets or code; 10 to "
        "5,000 characters."
    )
    platform: str | None = strawberry.field(
        default=None, description="What it is for; at most 255 characters."
    )
    tags: list[str] | None = strawberry.field(
        default=None, description="Free words; at most 20 of at most 50 characters."
    )
    effectiveness: float | None = strawberry.field(
        default=None, description="How well it works, from 0 to 1."
    )
    first_seen: EpochMillis | None = strawberry.field(
        default=None, description="When you met it first; now unless given."
    )
    last_seen: EpochMillis | None = strawberry.field(
        default=None, description="When you met it last; now unless given."
    )

    def to_wire(self) -> dict[str, Any]:
        """The fields as the operations' input spells them."""
        return {to_camel(name): value for name, value in vars(self).items()} | {
            "type": self.type.value
        }


@strawberry.input(description="Patterns to offer to the community.")
class ContributePatternsInput:
    """A contribution."""

    patterns: list[PatternInput] = strawberry.field(description="The patterns; 1 to 100.")


@strawberry.enum(description="Why a pattern may not be shared with strangers.")
class RefusalKind(Enum):
    """The signs of `domain.privacy`."""

    LINK = strawberry.enum_value("link", description="It contains a link.")
    EMAIL = strawberry.enum_value("email", description="It contains an e-mail address.")
    PATH = strawberry.enum_value("path", description="It contains a file path.")
    ADDRESS = strawberry.enum_value("address", description="It contains a network address.")
    CODE = strawberry.enum_value("code", description="It contains code.")
    PRIVATE_KEY = strawberry.enum_value("private_key", description="It contains a private key.")
    SECRET = strawberry.enum_value("secret", description="It contains a secret.")
    WORDLESS = strawberry.enum_value("wordless", description="It says nothing in words.")


@strawberry.type(description="A reason why a pattern was not taken.")
class RefusalReason:
    """One sign of what is private."""

    kind: RefusalKind = strawberry.field(description="The reason.")
    message: str = strawberry.field(description="The reason in words.")


@strawberry.type(description="An offered pattern that was taken.")
class PatternTaken:
    """An item of a contribution."""

    index: int = strawberry.field(description="Its place in your list, from 0.")
    pattern_id: ID = strawberry.field(
        description="The pattern that it became a part of; equal ones have one id."
    )
    visible: bool = strawberry.field(description="Whether the community sees it.")

    @classmethod
    def of(cls, taken: Taken) -> PatternTaken:
        """The GraphQL view of an item that was taken."""
        pattern_id = ids.encode("CommunityPattern", taken.pattern_id)
        return cls(index=taken.index, pattern_id=pattern_id, visible=taken.visible)


@strawberry.type(description="An offered pattern that was not taken: nothing of it is kept.")
class PatternRefused:
    """An item of a contribution."""

    index: int = strawberry.field(description="Its place in your list, from 0.")
    reasons: list[RefusalReason] = strawberry.field(description="Each reason.")

    @classmethod
    def of(cls, refusal: Refusal) -> PatternRefused:
        """The GraphQL view of an item that was refused."""
        reasons = [RefusalReason(kind=RefusalKind(s.kind), message=s.words) for s in refusal.signs]
        return cls(index=refusal.index, reasons=reasons)


OfferedPattern = Annotated[
    PatternTaken | PatternRefused,
    strawberry.union("OfferedPattern", description="What became of an offered pattern."),
]


@strawberry.type(description="What became of each pattern that you offered.")
class ContributePatternsPayload:
    """What `contributePatterns` answers."""

    results: list[OfferedPattern] = strawberry.field(
        description="One for each pattern of your list, in its order."
    )

    @classmethod
    def of(cls, done: Contributed) -> ContributePatternsPayload:
        """The GraphQL view of a contribution."""
        results: list[PatternTaken | PatternRefused] = []
        results += map(PatternTaken.of, done.taken)
        results += map(PatternRefused.of, done.refused)
        return cls(results=sorted(results, key=lambda result: result.index))


@strawberry.input(description="What to take back: some patterns, or everything.")
class WithdrawContributionsInput:
    """Contributions to take back."""

    ids: list[ID] | None = strawberry.field(
        default=None, description="The ids of patterns that you contribute to; at most 100."
    )
    everything: bool = strawberry.field(
        default=False, description="Whether to take back all that you ever contributed."
    )


@strawberry.type(description="What you said of these patterns is deleted.")
class WithdrawContributionsPayload:
    """What `withdrawContributions` answers."""

    withdrawn_ids: list[ID] = strawberry.field(description="The ids of the patterns.")
