"""The roles of a team, in the words of the graph."""

from __future__ import annotations

from enum import Enum

import strawberry


@strawberry.enum(description="What somebody may do in a team.")
class Role(Enum):
    """The roles of `domain.policy`."""

    OWNER = strawberry.enum_value("owner", description="Everything; a team has one owner.")
    ADMIN = strawberry.enum_value(
        "admin",
        description="Read and write; rename the team, invite members and viewers and change their "
        "roles, read the audit log.",
    )
    MEMBER = strawberry.enum_value("member", description="Read and write.")
    VIEWER = strawberry.enum_value("viewer", description="Read only.")
