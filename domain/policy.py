"""Who may do what, as one table that can be read aloud.

Outsiders are told that the thing does not exist, members without the right that it is forbidden.
The legacy APIs name teams by id in the request, and their clients expect 403 there: `outsider` lets
the caller of `require` choose.

A person's own space is a scope with one owner, so the same table says what its owner may do. An API
key may be made for less than its account: the second table says which of its scopes each act needs.
"""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from domain.actor import Actor, KeyScope, Role
from domain.errors import Fault, Forbidden, NotFound

Permission = Literal[
    "team.read",
    "team.write",
    "team.push",
    "team.leave",
    "team.unshare",
    "team.invite",
    "team.change_role",
    "team.remove_member",
    "team.rename",
    "team.audit",
    "team.transfer",
    "team.delete",
    "team.encrypt",
    "team.rotate",
    "team.admit",
]

_EVERYBODY: frozenset[Role] = frozenset({"owner", "admin", "member", "viewer"})

PERMISSIONS: dict[Permission, frozenset[Role]] = {
    "team.read": _EVERYBODY,
    "team.write": frozenset({"owner", "admin", "member"}),
    "team.push": frozenset({"owner", "admin", "member"}),
    "team.leave": _EVERYBODY,  # the owner is told to transfer the team first
    "team.invite": frozenset({"owner", "admin"}),
    "team.change_role": frozenset({"owner", "admin"}),
    "team.unshare": frozenset({"owner", "admin"}),
    "team.remove_member": frozenset({"owner"}),
    "team.rename": frozenset({"owner", "admin"}),
    "team.audit": frozenset({"owner", "admin"}),
    "team.transfer": frozenset({"owner"}),
    "team.delete": frozenset({"owner"}),
    "team.encrypt": frozenset({"owner"}),
    "team.rotate": frozenset({"owner", "admin"}),
    "team.admit": frozenset({"owner", "admin", "member"}),
}

NEEDED: dict[Permission, KeyScope] = {
    "team.read": "read",
    "team.write": "write",
    "team.push": "sync",
    "team.unshare": "write",
    "team.leave": "admin",
    "team.invite": "admin",
    "team.change_role": "admin",
    "team.remove_member": "admin",
    "team.rename": "admin",
    "team.audit": "admin",
    "team.transfer": "admin",
    "team.delete": "admin",
    "team.encrypt": "admin",
    "team.rotate": "admin",
    "team.admit": "write",
}

_SERVED_BY: dict[KeyScope, frozenset[KeyScope]] = {
    "read": frozenset({"read", "write", "sync", "admin"}),  # every key reads
    "write": frozenset({"write"}),
    "sync": frozenset({"sync", "write"}),
    "admin": frozenset({"admin"}),
}

MANAGES: dict[Role, frozenset[Role]] = {
    "owner": frozenset({"admin", "member", "viewer"}),
    "admin": frozenset({"member", "viewer"}),
    "member": frozenset(),
    "viewer": frozenset(),
}
"""Which roles somebody may give, and whose role somebody may change."""


def require(
    actor: Actor, permission: Permission, scope_id: UUID, *, outsider: type[Fault] = NotFound
) -> Role:
    """The actor's role in the scope, when that role and the actor's key have the permission.

    Raises `outsider` (NotFound unless told otherwise) for somebody who does not belong to the
    scope, whether or not it exists, and Forbidden for a member without the right. An operation
    that changes something has it looked at again under the scope's lock: `journal.take_heads`.
    """
    return permitted(actor, actor.roles.get(scope_id), permission, outsider=outsider)


def permitted(
    actor: Actor, role: Role | None, permission: Permission, *, outsider: type[Fault] = NotFound
) -> Role:
    """As `require`, for a role that was just looked up."""
    if role is None:
        raise outsider("You are not a member of this team" if outsider is Forbidden else None)
    require_key(actor, NEEDED[permission])
    if role not in PERMISSIONS[permission]:
        raise Forbidden(f"Your role in this team ({role}) does not allow this")
    return role


def serves(actor: Actor, scope: KeyScope) -> bool:
    """Whether the actor came with a key that was made for this, or with none."""
    return bool(actor.key_scopes & _SERVED_BY[scope])


def require_key(actor: Actor, scope: KeyScope) -> None:
    """Raises Forbidden when the actor came with an API key that was not made for this."""
    if not serves(actor, scope):
        raise Forbidden(f"This API key may not be used for this: it lacks the scope {scope}")


def require_changes(actor: Actor) -> None:
    """Raises Forbidden when the actor came with an API key that may only read.

    Both transports ask this before anything that can change something, so that a new operation
    cannot forget it; the operation itself then asks for the very scope.
    """
    if actor.key_scopes <= {"read"}:
        raise Forbidden("This API key may only read")


def require_managed(role: Role, *others: Role) -> None:
    """Raises Forbidden unless `role` may give, take and change all the `others`."""
    for other in others:
        if other not in MANAGES[role]:
            raise Forbidden(f"Your role in this team ({role}) does not reach to the role {other}")


def writing_scope(
    actor: Actor, team_id: UUID | None, permission: Permission = "team.write"
) -> UUID:
    """The scope that something new goes to: the named team's, else the actor's own.

    Raises Forbidden when the actor may not write to that team.
    """
    scope_id = actor.account_id if team_id is None else team_id
    require(actor, permission, scope_id, outsider=Forbidden)
    return scope_id


def reading_team(actor: Actor, team_id: UUID | None) -> UUID | None:
    """`team_id` itself, once it is known that the actor may read it. Raises Forbidden."""
    if team_id is not None:
        require(actor, "team.read", team_id, outsider=Forbidden)
    return team_id
