"""What a client of an encrypted team sends, made of random bytes: the server cannot tell."""

from __future__ import annotations

import base64
import os
from typing import Any
from uuid import uuid4

from tests.graph.client import Caller, Json

STATE = """
query ($team: ID!) { team(id: $team) {
  encryption { epoch } members(first: 100) { nodes { user { id publicKeys { number } } } } } }
"""


def noise(size: int) -> str:
    """So many random bytes, as the schema has them."""
    return base64.b64encode(os.urandom(size)).decode()


async def set_keys(who: Caller, number: int = 1) -> Json:
    """Set public keys."""
    given = {"number": number, "wrappingKey": noise(32), "signingKey": noise(32)}
    return await who.do("setPublicKeys", given | {"proof": noise(64)}, "publicKeys { fingerprint }")


async def next_epoch(who: Caller, seen_by: Caller, team_id: str, **changed: Any) -> Json:
    """Publish the epoch that comes next, as `seen_by` sees the team."""
    team = (await seen_by.ask(STATE, team=team_id))["team"]
    people = {n["user"]["id"]: n["user"]["publicKeys"] for n in team["members"]["nodes"]}
    wraps = [
        {"memberId": id, "keyNumber": k[0]["number"], **box()} for id, k in people.items() if k
    ]
    own = people.get(who.id) or [{"number": 1}]
    given = {
        "teamId": team_id,
        "number": (team["encryption"] or {"epoch": 0})["epoch"] + 1,
        "signerNumber": own[0]["number"],
        "statement": noise(100),
        "signature": noise(64),
        "wraps": wraps,
    }
    return await who.do("publishKeyEpoch", given | changed, "epoch { number createdById }")


def box() -> Json:
    """A sealed box, and its signature."""
    return {"wrapped": noise(80), "signature": noise(64)}


def entry(epoch: int = 1, **changed: Any) -> Json:
    """A sealed entry."""
    made = {"id": str(uuid4()), "kind": "KNOWLEDGE", "epoch": epoch, "revision": 1}
    return made | {"nonce": noise(24), "ciphertext": noise(300)} | changed


async def push(who: Caller, team_id: str, *entries: Json) -> Json:
    """Push sealed entries."""
    given = {"teamId": team_id, "entries": list(entries)}
    return await who.do("pushSealed", given, "skipped entries { id revision epoch }")


async def enable(owner: Caller, team_id: str, *, searchable: bool = False) -> Json:
    """Encrypt a team."""
    given = {"teamId": team_id, "irrevocable": True, "searchable": searchable}
    return await owner.do("enableTeamEncryption", given, "teamId")
