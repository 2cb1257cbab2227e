"""Who may do what, as one table that can be read aloud.

Outsiders are told that the thing does not exist, members without the right that it is forbidden.
The legacy APIs name teams by id in the request, and their clients expect 403 there: `outsider` lets
the caller of `require` choose.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from domain.actor import Actor, Role
from domain.errors import Fault, Forbidden, NotFound

Permission = Literal[
    "team.read",
    "team.write",
    "team.unshare",
    "team.invite",
    "team.remove_member",
    "team.rename",
    "team.delete",
]

PERMISSIONS: dict[Permission, frozenset[Role]] = {
    "team.read": frozenset({"owner", "admin", "member", "viewer"}),
    "team.write": frozenset({"owner", "admin", "member"}),
    "team.unshare": frozenset({"owner", "admin"}),
    "team.invite": frozenset({"owner"}),
    "team.remove_member": frozenset({"owner"}),
    "team.rename": frozenset({"owner", "admin"}),
    "team.delete": frozenset({"owner"}),
}


def require(
    actor: Actor, permission: Permission, scope_id: UUID, *, outsider: type[Fault] = NotFound
) -> Role:
    """The actor's role in the scope, when that role has the permission.

    Raises `outsider` (NotFound unless told otherwise) for somebody who does not belong to the
    scope, whether or not it exists, and Forbidden for a member without the right.
    """
    role = actor.roles.get(scope_id)
    if role is None:
        raise outsider("You are not a member of this team" if outsider is Forbidden else None)
    if role not in PERMISSIONS[permission]:
        raise Forbidden(f"Your role in this team ({role}) does not allow this")
    return role


def writing_scope(actor: Actor, team_id: UUID | None) -> UUID:
    """The scope that something new goes to: the named team's, else the actor's own.

    Raises Forbidden when the actor may not write to that team.
    """
    if team_id is None:
        return actor.account_id
    require(actor, "team.write", team_id, outsider=Forbidden)
    return team_id


def reading_team(actor: Actor, team_id: UUID | None) -> UUID | None:
    """`team_id` itself, once it is known that the actor may read it. Raises Forbidden."""
    if team_id is not None:
        require(actor, "team.read", team_id, outsider=Forbidden)
    return team_id
