"""The machines that the caller's sessions come from."""

from __future__ import annotations

from datetime import datetime

import strawberry
from strawberry import ID

from domain import machines
from graph.context import Info
from graph.fields import computed
from graph.mapping import Column, Computed, GlobalId, Many, mapped
from graph.schema import ids
from graph.schema.scalars import BigInt


def _name(label: str, prefix: str) -> str:
    return label or f"{prefix}\u2026"


@mapped(
    "sessions",
    "conversation_bytes",
    id=GlobalId("ApiKey"),
    name=Computed(_name, "label", "prefix"),
    revoked=Computed(lambda revoked_at: revoked_at is not None, "revoked_at"),
    last_backup_at=Column("last_at"),
)
@strawberry.type(
    description="A machine that backs sessions up, told by its API key: make one for each."
)
class Machine:
    """A key, as where sessions come from."""

    id: ID = strawberry.field(description="The id of the key; `SessionFilter.machine` takes it.")
    name: str = strawberry.field(description="The key's label, or the beginning of the key.")
    revoked: bool = strawberry.field(description="Whether the key has been revoked.")
    sessions: int = strawberry.field(description="How many sessions it was the last to back up.")
    conversation_bytes: BigInt = strawberry.field(
        description="How large their conversations are together."
    )
    last_backup_at: datetime = strawberry.field(description="When one of them last changed.")

    @classmethod
    def of(cls, machine: machines.Machine) -> Machine:
        """The GraphQL view of a machine."""
        return cls(
            id=ids.encode("ApiKey", machine.id),
            name=_name(machine.label, machine.prefix),
            revoked=machine.revoked_at is not None,
            sessions=machine.sessions,
            conversation_bytes=BigInt(machine.conversation_bytes),
            last_backup_at=machine.last_at,
        )


@mapped(machines=Many("machines"))
@strawberry.type
class MachineFields:
    """The field of the viewer about machines."""

    @computed("The machines that your sessions come from, the last heard of first; at most 100.")
    async def machines(self, info: Info) -> list[Machine]:
        """The caller's machines."""
        found = await machines.of(info.context.services.db, info.context.actor)
        return [Machine.of(machine) for machine in found]
