"""The chain of a team's epochs: each a statement that its maker signed and that names the last.

A statement says whom the key was wrapped for. Who was in one and is not in the next has left: an
epoch that such an account makes later is refused, whatever the server says of its membership.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from teamlore_e2e.encoding import said, statement, unb64, uuid_of
from teamlore_e2e.errors import Tampered
from teamlore_e2e.identity import PublicKeys
from teamlore_e2e.team_key import TeamKey
from teamlore_e2e.trust import Trust


@dataclass(frozen=True, slots=True)
class Epoch:
    """One verified link of the chain."""

    number: int
    maker: str
    commitment: str
    digest: str
    members: frozenset[str]
    """The accounts that the key was wrapped for at the beginning."""


def epoch_statement(
    key: TeamKey, maker: str, members: Sequence[PublicKeys], previous: str
) -> bytes:
    """What the maker of an epoch signs; `previous` is the digest of the statement before, or ""."""
    roster = sorted(
        [m.account, m.number, m.wrapping.hex(), m.signing.hex(), m.proof.hex()] for m in members
    )
    return statement(
        "epoch",
        team=key.team,
        epoch=key.epoch,
        maker=maker,
        commitment=key.commitment,
        previous=previous,
        members=roster,
    )


def verified_chain(team: str, nodes: Sequence[dict[str, Any]], trust: Trust) -> list[Epoch]:
    """The epochs that the server shows, oldest first, each checked. Raises Tampered, RolledBack."""
    chain: list[Epoch] = []
    gone: set[str] = set()
    for node in nodes:
        epoch = _verified(team, node, chain[-1] if chain else None, trust)
        if epoch.maker in gone:
            raise Tampered(f"Epoch {epoch.number} was made by somebody who had left")
        if epoch.maker not in epoch.members:
            raise Tampered(f"Epoch {epoch.number} was made by somebody who is not in it")
        if chain:
            gone = (gone | chain[-1].members) - epoch.members
        chain.append(epoch)
    trust.see_epochs(team, (epoch.digest for epoch in chain))
    return chain


def _verified(team: str, node: dict[str, Any], last: Epoch | None, trust: Trust) -> Epoch:
    signed, maker = unb64(node["statement"]), uuid_of(node["createdById"])
    content = said("epoch", signed)
    lines = content.get("members")
    if not isinstance(lines, list):
        raise Tampered("The statement of an epoch names no members")
    roster = [_member(line) for line in lines]
    for keys in roster:
        if keys.account not in trust.pins:
            trust.see([keys])
    trust.signed_by(maker, signed, unb64(node["signature"]))
    number, previous = (last.number + 1, last.digest) if last else (1, "")
    expected = {"team": team, "epoch": number, "maker": maker, "previous": previous}
    if node["number"] != number or any(content.get(k) != v for k, v in expected.items()):
        raise Tampered(f"The statement of epoch {number} is about something else")
    members = frozenset(keys.account for keys in roster)
    digest = hashlib.sha256(signed).hexdigest()
    return Epoch(number, maker, content["commitment"], digest, members)


def _member(line: Sequence[Any]) -> PublicKeys:
    try:
        account, number, *parts = line
        wrapping, signing, proof = (bytes.fromhex(part) for part in parts)
    except (TypeError, ValueError):
        raise Tampered("A member in the statement of an epoch is none") from None
    keys = PublicKeys(account, number, wrapping, signing, proof)
    keys.check()
    return keys
