"""What the server sees to in an encrypted team, with clients that send it any bytes."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from db.engine import Database
from domain import pruning
from tests.graph.client import Caller, Json, newcomer, team_of_two
from tests.support import ciphertext
from tests.support.ciphertext import box, entry, next_epoch, noise, push, set_keys
from tests.support.server import RunningServer


async def encrypted(server: RunningServer, **options: Any) -> tuple[Caller, Caller, str]:
    """An owner and a member with keys, in an encrypted team with a first epoch."""
    owner, member, team_id = await team_of_two(server)
    for one in (owner, member):
        await set_keys(one)
    await ciphertext.enable(owner, team_id, **options)
    assert (await next_epoch(owner, owner, team_id))["__typename"] == "PublishKeyEpochPayload"
    return owner, member, team_id


def refusal(result: Json) -> tuple[str, str]:
    problems = result.get("problems", ())
    return result["__typename"], " ".join(".".join(p["path"]) for p in problems)


async def test_only_a_team_that_holds_nothing_can_be_encrypted_and_only_knowingly(
    server: RunningServer,
) -> None:
    owner = await newcomer(server)
    team_id = await owner.found_team()
    unknowing = {"teamId": team_id, "irrevocable": False}
    result = await owner.do("enableTeamEncryption", unknowing, "teamId")
    assert refusal(result) == ("InvalidInput", "irrevocable")
    entry_id = await owner.write("A word that was readable", team_id)
    refused = await ciphertext.enable(owner, team_id)
    assert refused["__typename"] == "Conflict"
    assert "move or delete them first" in refused["message"]
    await owner.do("deleteKnowledge", {"id": entry_id}, "deletedId")
    assert "teamId" in await ciphertext.enable(owner, team_id)
    assert (await ciphertext.enable(owner, team_id))["__typename"] == "Conflict"
    back = await owner.do("restoreKnowledge", {"id": entry_id}, "entry { id }")
    assert back["__typename"] == "NotFound"
    assert await found_in_table(server, "knowledge", "readable") == 0
    state = "query ($t: ID!) { team(id: $t) { encryption { epoch rotationDue searchable } } }"
    shown = (await owner.ask(state, t=team_id))["team"]["encryption"]
    assert shown == {"epoch": 0, "rotationDue": True, "searchable": False}


async def found_in_table(server: RunningServer, table: str, text: str) -> int:
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        query = f"SELECT count(*) FROM {table} t WHERE t::text LIKE '%' || $1 || '%'"
        return int(await connection.fetchval(query, text))
    finally:
        await connection.close()


async def test_nothing_is_taken_before_the_first_epoch_and_under_an_old_one(
    server: RunningServer,
) -> None:
    owner, member, team_id = await team_of_two(server)
    await set_keys(owner)
    assert refusal(await push(owner, team_id, entry())) == ("InvalidInput", "teamId")
    await ciphertext.enable(owner, team_id)
    assert refusal(await push(owner, team_id, entry()))[0] == "Conflict"
    await next_epoch(owner, owner, team_id)
    assert "entries" in await push(owner, team_id, entry())
    assert "entries" in await push(member, team_id, entry())  # keys are the clients' business
    await next_epoch(owner, owner, team_id)
    old = await push(owner, team_id, entry(epoch=1))
    assert (old["__typename"], old["message"]) == (
        "Conflict",
        "entries.0.epoch: the newest epoch is 2",
    )
    mixed = await push(owner, team_id, entry(epoch=2), entry(epoch=3))
    assert mixed["__typename"] == "Conflict"
    count = "query ($t: ID!) { team(id: $t) { sealedEntries { totalCount } } }"
    assert (await owner.ask(count, t=team_id))["team"]["sealedEntries"]["totalCount"] == 2


@pytest.mark.parametrize("how", ["removed", "leaves", "deletes its account"])
async def test_whoever_goes_makes_a_new_epoch_due(server: RunningServer, how: str) -> None:
    owner, member, team_id = await encrypted(server)
    if how == "removed":
        await owner.do("removeMember", {"teamId": team_id, "userId": member.id}, "removedId")
    elif how == "leaves":
        await member.do("leaveTeam", {"teamId": team_id}, "leftId")
    else:
        gone = await member.do("deleteAccount", {"password": "long enough"}, "__typename")
        assert gone["__typename"] == "DeleteAccountPayload"
    refused = await push(owner, team_id, entry())
    assert refused["__typename"] == "Conflict"
    assert "a new epoch is due" in refused["message"]
    assert (await next_epoch(owner, owner, team_id))["epoch"]["number"] == 2
    assert "entries" in await push(owner, team_id, entry(epoch=2))


async def test_an_epoch_names_every_member_with_its_newest_keys(server: RunningServer) -> None:
    owner, member, team_id = await encrypted(server)
    stranger = await newcomer(server)
    await set_keys(stranger)
    mine = {"memberId": owner.id, "keyNumber": 1, **box()}
    theirs = {"memberId": member.id, "keyNumber": 1, **box()}
    for wraps, expected in (
        ([mine], "Conflict"),
        ([mine, {**theirs, "keyNumber": 2}], "Conflict"),
        ([mine, theirs, {**theirs, "memberId": stranger.id}], "Conflict"),
        ([mine, theirs, theirs], "InvalidInput"),
        ([], "InvalidInput"),
    ):
        result = await next_epoch(owner, owner, team_id, wraps=wraps)
        assert result["__typename"] == expected
    for changed in ({"number": 1}, {"number": 3}, {"signerNumber": 2}):
        assert (await next_epoch(owner, owner, team_id, **changed))["__typename"] == "Conflict"
    await set_keys(member, 2)
    assert (await next_epoch(owner, owner, team_id))["epoch"]["number"] == 2
    assert (await set_keys(member, 2))["__typename"] == "Conflict"


async def test_of_many_rotations_at_once_exactly_one_wins(server: RunningServer) -> None:
    owner, _member, team_id = await encrypted(server)
    done = await asyncio.gather(*(next_epoch(owner, owner, team_id, number=2) for _ in range(8)))
    names = sorted(result["__typename"] for result in done)
    assert names == ["Conflict"] * 7 + ["PublishKeyEpochPayload"]


async def test_keys_are_handed_on_once_and_only_by_who_has_them(server: RunningServer) -> None:
    owner, member, team_id = await encrypted(server)
    late = await newcomer(server)
    await owner.do("inviteToTeam", {"teamId": team_id, "email": late.email}, "memberId")
    waits = "query ($t: ID!) { team(id: $t) { encryption { waiting { memberId keyNumber } } } }"

    async def waiting() -> list[Json]:
        found: list[Json] = (await owner.ask(waits, t=team_id))["team"]["encryption"]["waiting"]
        return found

    assert await waiting() == [{"memberId": late.id, "keyNumber": None}]
    given = {"teamId": team_id, "memberId": late.id, "keyNumber": 1, "signerNumber": 1}
    given |= {"wraps": [{"epoch": 1, **box()}]}
    assert (await member.do("wrapTeamKeys", given, "epochs"))["__typename"] == "NotFound"
    await set_keys(late)
    assert await waiting() == [{"memberId": late.id, "keyNumber": 1}]
    assert (await late.do("wrapTeamKeys", given, "epochs"))["__typename"] == "Forbidden"
    assert (await member.do("wrapTeamKeys", given, "epochs"))["epochs"] == [1]
    assert (await owner.do("wrapTeamKeys", given, "epochs"))["epochs"] == []
    assert await waiting() == []
    unknown = given | {"wraps": [{"epoch": 2, **box()}]}
    assert (await member.do("wrapTeamKeys", unknown, "epochs"))["__typename"] == "Forbidden"
    await set_keys(late, 2)
    assert await waiting() == [{"memberId": late.id, "keyNumber": 2}]
    assert (await member.do("wrapTeamKeys", given, "epochs"))["__typename"] == "Conflict"


async def test_an_entry_changes_by_its_author_revision_by_revision(server: RunningServer) -> None:
    owner, member, team_id = await encrypted(server)
    first = entry()
    assert (await push(owner, team_id, first))["skipped"] == 0
    assert (await push(owner, team_id, first))["skipped"] == 1
    second = first | {"revision": 2, "ciphertext": noise(300)}
    third = first | {"revision": 3, "ciphertext": noise(300)}
    for who, item, expected in (
        (owner, third, "Conflict"),
        (owner, first | {"ciphertext": noise(300)}, "Conflict"),
        (owner, second | {"kind": "SUMMARY"}, "Conflict"),
        (member, second, "Forbidden"),
        (owner, entry(revision=2), "Conflict"),
    ):
        assert (await push(who, team_id, item))["__typename"] == expected
    assert (await push(owner, team_id, second))["entries"][0]["revision"] == 2
    id = (await push(owner, team_id, third))["entries"][0]["id"]
    assert (await member.do("deleteSealed", {"id": id}, "deletedId"))["__typename"] == "Forbidden"
    assert (await owner.do("deleteSealed", {"id": id}, "deletedId"))["deletedId"] == id
    assert (await owner.do("deleteSealed", {"id": id}, "deletedId"))["__typename"] == "NotFound"
    assert (await push(owner, team_id, third | {"revision": 4}))["__typename"] == "Conflict"
    connection = await asyncpg.connect(server.settings.database_url)
    (row,) = await connection.fetch("SELECT ciphertext, nonce, tokens FROM sealed_entries")
    await connection.close()
    assert tuple(row) == (b"", b"", [])


async def test_wrong_sizes_are_refused_by_name(server: RunningServer) -> None:
    owner, _member, team_id = await encrypted(server)
    for changed, path in (
        ({"nonce": noise(23)}, "input.entries.0.nonce"),
        ({"ciphertext": noise(16)}, "input.entries.0.ciphertext"),
        ({"ciphertext": noise(320 * 1024 + 1)}, "input.entries.0.ciphertext"),
        ({"tokens": noise(15)}, "input.entries.0.tokens"),
        ({"tokens": noise(16)}, "entries.0.tokens"),
        ({"revision": 0}, "input.entries.0.revision"),
        ({"id": "nonsense"}, "input.entries.0.id"),
    ):
        name, paths = refusal(await push(owner, team_id, entry(**changed)))
        assert (name, paths.split()[0]) == ("InvalidInput", path)
    twice = entry()
    assert refusal(await push(owner, team_id, twice, twice)) == ("InvalidInput", "entries")
    query = """mutation ($input: SetPublicKeysInput!) { setPublicKeys(input: $input) {
      ... on InvalidInput { problems { path message } } } }"""
    keys = {"number": 1, "wrappingKey": "!", "signingKey": noise(32), "proof": noise(64)}
    assert await owner.code(query, input=keys) == "BAD_USER_INPUT"
    for name, size in (("wrappingKey", 31), ("signingKey", 33), ("proof", 65)):
        given = {"number": 3, "wrappingKey": noise(32), "signingKey": noise(32), "proof": noise(64)}
        result = await owner.do("setPublicKeys", given | {name: noise(size)}, "__typename")
        assert refusal(result) == ("InvalidInput", f"input.{name}")


async def test_sealed_entries_come_in_pages_and_by_tokens(server: RunningServer) -> None:
    owner, member, team_id = await encrypted(server, searchable=True)
    token, other = noise(16), noise(16)
    made = [entry(tokens=token), entry(tokens=other, kind="SUMMARY"), entry(), entry()]
    for item in made:
        await push(member, team_id, item)
    query = """query ($t: ID!, $first: Int, $after: Cursor, $last: Int, $kind: SealedKind,
        $matching: [SealedMatch!]) { team(id: $t) { sealedEntries(first: $first, after: $after,
        last: $last, kind: $kind, matching: $matching) {
      totalCount pageInfo { hasNextPage endCursor } nodes { nonce } } } }"""

    async def listed(**given: Any) -> list[str]:
        page = (await owner.ask(query, t=team_id, **given))["team"]["sealedEntries"]
        return [node["nonce"] for node in page["nodes"]]

    nonces = [item["nonce"] for item in reversed(made)]
    assert await listed() == nonces
    assert await listed(last=3) == nonces[1:]
    first = (await owner.ask(query, t=team_id, first=3))["team"]["sealedEntries"]
    assert first["pageInfo"]["hasNextPage"]
    assert await listed(first=3, after=first["pageInfo"]["endCursor"]) == nonces[3:]
    assert await listed(kind="SUMMARY") == nonces[2:3]
    assert await listed(matching=[{"epoch": 1, "tokens": token}]) == nonces[3:]
    assert await listed(matching=[{"epoch": 2, "tokens": token}]) == []
    assert await listed(matching=[]) == []
    assert await owner.code(query, t=team_id, matching=[{"epoch": 1, "tokens": noise(5)}]) == (
        "BAD_USER_INPUT"
    )


async def test_who_is_not_in_the_team_sees_and_changes_nothing(server: RunningServer) -> None:
    owner, _member, team_id = await encrypted(server)
    item = entry()
    id = (await push(owner, team_id, item))["entries"][0]["id"]
    stranger = await newcomer(server)
    await set_keys(stranger)
    assert (await push(stranger, team_id, entry()))["__typename"] == "NotFound"
    assert (await push(stranger, team_id, item))["__typename"] == "NotFound"
    assert (await next_epoch(stranger, owner, team_id))["__typename"] == "NotFound"
    assert (await stranger.do("deleteSealed", {"id": id}, "deletedId"))["__typename"] == "NotFound"
    node = "query ($id: ID!) { node(id: $id) { id } }"
    assert (await stranger.ask(node, id=id))["node"] is None
    assert (await owner.ask(node, id=id))["node"] == {"id": id}
    keys = "query ($id: ID!) { user(id: $id) { publicKeys { number } } }"
    assert await stranger.code(keys, id=owner.id) == "NOT_FOUND"


async def test_a_viewer_reads_and_does_not_write(server: RunningServer) -> None:
    owner, member, team_id = await encrypted(server)
    id = (await push(member, team_id, entry()))["entries"][0]["id"]
    given = {"teamId": team_id, "userId": member.id, "role": "VIEWER"}
    await owner.do("changeMemberRole", given, "role")
    assert (await push(member, team_id, entry()))["__typename"] == "Forbidden"
    assert (await member.do("deleteSealed", {"id": id}, "deletedId"))["__typename"] == "Forbidden"
    keys = "query ($t: ID!) { team(id: $t) { encryption { myKeys { epoch keyNumber } } } }"
    found = (await member.ask(keys, t=team_id))["team"]["encryption"]["myKeys"]
    assert found == [{"epoch": 1, "keyNumber": 1}]


async def test_changes_page_what_happened_and_old_tombstones_are_forgotten(
    server: RunningServer,
) -> None:
    owner, member, team_id = await encrypted(server)
    made = [entry(), entry()]
    first = (await push(owner, team_id, *made))["entries"]
    await push(owner, team_id, made[0] | {"revision": 2, "ciphertext": noise(99)})
    await owner.do("deleteSealed", {"id": first[1]["id"]}, "deletedId")
    query = """query ($t: [ID!], $after: Cursor) { changes(scopes: $t, first: 2, after: $after) {
      pageInfo { hasNextPage endCursor } nodes { __typename
        ... on SealedEvent { entryId } ... on SealedEntrySaved { isNew entry { revision } }
        ... on KeyEpochPublished { epoch } } } }"""
    seen: list[Json] = []
    after = None
    while True:
        page = (await member.ask(query, t=[team_id], after=after))["changes"]
        seen += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    names = [event["__typename"] for event in seen]
    assert names[-6:] == [
        "TeamEncryptionEnabled",
        "KeyEpochPublished",
        *["SealedEntrySaved"] * 3,
        "SealedEntryDeleted",
    ]
    assert [e["isNew"] for e in seen[-4:-1]] == [True, True, False]
    assert [e["entry"] for e in seen[-4:-1]] == [{"revision": 2}, None, {"revision": 2}]
    await push(owner, team_id, entry())
    db = Database(str(server.settings.database_url))
    done = await pruning.prune(db, timedelta(0))
    await db.close()
    assert done.tombstones == 1
