"""What each rule of the table lets whom do: the matrix in the words of `domain.policy`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, cast

from domain.actor import KeyScope, Role
from domain.policy import NEEDED, PERMISSIONS, Permission

Outcome = Literal["ok", "anonymous", "denied", "hidden", "invalid", "conflict"]
BAD = {"anonymous", "revoked key", "expired token"}


@dataclass(frozen=True)
class Rule:
    """Who may, by role in the scope asked for, and what the others are told."""

    roles: frozenset[Role] | None
    """None where no scope is asked for."""
    needs: KeyScope = "read"
    outsider: Outcome = "hidden"
    others: Outcome = "denied"
    """What somebody in the scope is told whose role is not enough."""
    public: bool = False
    key_last: bool = False
    """Whether those outside are told before it is asked what the key may do: in queries."""


_ALL: frozenset[Role] = frozenset({"owner", "admin", "member", "viewer"})
_MINE: frozenset[Role] = frozenset()
RULES: dict[str, Rule] = {
    # Without a credential too; a bad credential is refused unless it is not looked at.
    "anybody": Rule(None, public=True),
    "unread": Rule(None, public=True),
    # With a credential, and nothing is asked for that could be somebody else's.
    "self": Rule(None),
    "self.write": Rule(None, "write"),
    "self.sync": Rule(None, "sync"),
    "self.admin": Rule(None, "admin"),
    # One's own thing; of others' nobody learns that there is such a thing.
    "mine": Rule(_MINE, others="hidden"),
    "mine.sync": Rule(_MINE, "sync", others="hidden"),
    "mine.write": Rule(_MINE, "write", others="hidden"),
    "mine.admin": Rule(_MINE, "admin", others="hidden"),
    # An entry or a summary: all in its scope read it, its author changes it.
    "read": Rule(_ALL),
    "author": Rule(_MINE, "write"),
    "write": Rule(frozenset({"owner", "admin", "member"}), "write"),
    "star": Rule(_ALL, "write"),
    "unshare": Rule(frozenset({"owner", "admin"}), "write"),
}


def rule(name: str) -> Rule:
    """A rule by name: one of the above, or a permission on teams.

    With `!` at its end those outside are told that it is forbidden, as the legacy APIs do; with `?`
    they are told what those outside are told, whatever their key may do.
    """
    bare = name.rstrip("!?")
    if bare in RULES:
        found = RULES[bare]
    else:
        permission = cast(Permission, bare)
        found = Rule(PERMISSIONS[permission], NEEDED[permission])
    if name.endswith("?"):
        return replace(found, key_last=True)
    if not name.endswith("!"):
        return found
    return Rule(found.roles, found.needs, "denied", found.others)


def expected(name: str, actor: str, target: str, role: str | None) -> Outcome:
    """The outcome of a cell. `role` is the actor's in the team; it owns its own scope."""
    found = rule(name)
    if name == "unread":
        return "ok"
    if actor in BAD and not (found.public and actor == "anonymous"):
        return "anonymous"
    if actor == "read-only key" and found.needs != "read":
        outside = target != "own" and (target != "team" or role is None)
        return found.outsider if found.key_last and outside else "denied"
    if found.roles is None or target == "own":
        return "ok"
    if target != "team" or role is None:
        return found.outsider
    return "ok" if role in found.roles else found.others
