"""People, as team-mates see each other."""

from __future__ import annotations

import strawberry

from domain.people import Person
from graph.context import Info
from graph.fields import computed
from graph.mapping import GlobalId, mapped
from graph.schema import ids
from graph.schema.public_keys import PublicKeys, keys_of


@mapped("email", "username", id=GlobalId("User"))
@strawberry.type(description="A person, as team-mates see each other.")
class User(ids.Node):
    """An account that shares a team with the caller, or the caller itself."""

    kind = "User"

    email: str | None = strawberry.field(
        description="The e-mail address; null for an account that has only a username."
    )
    username: str | None = strawberry.field(
        description="The username; null for an account that has only an e-mail address."
    )

    @computed(
        "The public keys that this person has set for encrypted teams, newest first; the first "
        "counts, the others explain older signatures."
    )
    async def public_keys(self, info: Info) -> list[PublicKeys]:
        """The person's keys."""
        return await keys_of(info, self.uuid)

    @classmethod
    def of(cls, person: Person) -> User:
        """The GraphQL view of a person."""
        return cls(uuid=person.id, email=person.email, username=person.username)
