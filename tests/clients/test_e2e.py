"""Members of an encrypted team exchange entries through the server, which learns nothing."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from settings import Settings
from teamlore_e2e import (
    Identity,
    KeysChanged,
    NoKey,
    ServerError,
    Tampered,
    Team,
    Trust,
    Unverified,
    publish_keys,
    safety_number,
)
from teamlore_e2e.team_key import unwrap
from tests.conftest import Serve
from tests.graph.client import Caller, socket_of
from tests.support.dial import dial
from tests.support.estate import tables_with
from tests.support.members import Member, encrypted_team, joined
from tests.support.server import RunningServer


async def read(member: Member) -> list[str]:
    await member.team.refresh()
    return [entry.fields["summary"] async for entry in member.team.entries()]


async def test_two_members_exchange_entries(server: RunningServer) -> None:
    owner, member = await encrypted_team(server)
    first = await owner.team.write({"summary": "Use a queue", "details": "Ä\u0000 🦉 " * 500})
    await member.team.write({"summary": "Fixed it", "tags": ["db"]}, kind="summary")
    assert await read(member) == ["Fixed it", "Use a queue"]
    found = [entry async for entry in member.team.entries(kind="knowledge")]
    assert [entry.fields for entry in found] == [first.fields]
    second = await owner.team.write({"summary": "Use two queues"}, replaces=first)
    assert await read(member) == ["Use two queues", "Fixed it"]
    await owner.team.delete(second)
    assert await read(member) == ["Fixed it"]


async def test_a_feed_brings_ciphertext_that_members_open(server: RunningServer) -> None:
    owner, member = await encrypted_team(server)
    feed = """subscription ($team: ID!) { teamFeed(teamId: $team) { __typename
      ... on SealedEntrySaved { isNew entry { id teamId authorId entryKind epoch revision nonce
        ciphertext authorKeys { number wrappingKey signingKey proof } } }
      ... on SealedEntryDeleted { entryId } } }"""
    async with socket_of(member.caller) as socket:
        await socket.subscribe(feed, team=owner.team.id)
        await asyncio.sleep(0.1)
        written = [await owner.team.write({"summary": f"Live {i}"}) for i in range(3)]
        events = [(await socket.next())["teamFeed"] for _ in written]
        await owner.team.delete(written[0])
        gone = (await socket.next())["teamFeed"]
    assert [member.team.open(e["entry"]).fields for e in events] == [e.fields for e in written]
    assert gone["__typename"] == "SealedEntryDeleted"


async def test_a_newcomer_reads_what_was_before_once_somebody_lets_it(
    server: RunningServer,
) -> None:
    owner, member = await encrypted_team(server)
    await owner.team.write({"summary": "Old"})
    await owner.team.rotate()
    await owner.team.write({"summary": "New"})
    late = await joined(owner)
    await late.team.refresh()
    with pytest.raises(NoKey):
        await late.team.write({"summary": "Too early"})
    await member.team.refresh()
    assert await member.team.waiting() == [late.account]
    with pytest.raises(Unverified):
        await member.team.admit(late.account)
    member.compare(late)
    await member.team.admit(late.account)
    assert await member.team.waiting() == []
    assert await read(late) == ["New", "Old"]
    await late.team.write({"summary": "Newest"})
    assert (await read(owner))[0] == "Newest"


async def test_a_removed_members_keys_open_nothing_that_came_after(
    server: RunningServer,
) -> None:
    owner, member, other = await encrypted_team(server, ("MEMBER", "MEMBER"))
    before = await owner.team.write({"summary": "Before"})
    assert await read(member) == ["Before"]
    gone = {"teamId": owner.team.id, "userId": member.account}
    await owner.caller.do("removeMember", gone, "removedId")
    for writer in (owner, other):
        with pytest.raises(ServerError, match=r"Conflict.*new epoch is due"):
            await writer.team.write({"summary": "Under the old key"})
    with pytest.raises(ServerError, match="Forbidden"):
        await other.team.rotate()
    epoch = await owner.team.rotate()
    assert epoch.members == {owner.account, other.account}
    after = await owner.team.write({"summary": "After"}, replaces=before)
    await other.team.refresh()
    shown = [node async for node in other.team._pages(kind=None, matching=None)]
    assert [other.team.open(node).fields for node in shown] == [after.fields]
    # Everything that the server has, handed to the removed member, opens nothing for it.
    with pytest.raises(NoKey):
        member.team.open(shown[0])
    for known in list(member.team.keys.values()):
        member.team.keys[2] = replace(known, epoch=2)
        with pytest.raises(Tampered):
            member.team.open(shown[0])
    del member.team.keys[2]
    for row in await rows_of(server, "wrapped_keys"):
        if row["epoch"] == 2:
            with pytest.raises(Tampered):
                unwrap(owner.team.id, 2, row["wrapped"], member.own, epoch.commitment)
    with pytest.raises(ServerError, match="NOT_FOUND"):
        await member.team.refresh()
    rows = await rows_of(server, "wrapped_keys")
    assert not [row for row in rows if str(row["account_id"]) == member.account]
    with pytest.raises(ServerError, match="NotFound"):
        await member.team.write({"summary": "From outside"})


async def test_what_a_deleted_account_made_is_still_read_by_who_stays(
    server: RunningServer,
) -> None:
    owner, member = await encrypted_team(server)
    await owner.team.write({"summary": "By one who goes for good"})
    handed = {"teamId": owner.team.id, "userId": member.caller.id}
    await owner.caller.do("transferOwnership", handed, "ownerId")
    goodbye = {"password": "long enough"}
    gone = await owner.caller.do("deleteAccount", goodbye, "deletedTeams")
    assert gone["deletedTeams"] == []
    trust = Trust()
    for person in (owner, member):
        trust.verify(person.own.public, person.own.public.fingerprint)
    fresh = Team(member.team._server, member.team.id, member.own, trust)
    await fresh.refresh()
    found = [entry.fields["summary"] async for entry in fresh.entries()]
    assert found == ["By one who goes for good"]
    await fresh.rotate()
    await fresh.write({"summary": "After that"})
    last = await member.caller.do("deleteAccount", goodbye, "deletedTeams")
    assert last["deletedTeams"] == ["Readers"]
    left = await tables_with(server, owner.account, member.account)
    assert set(left) <= {"audit", "public_keys"}


async def test_who_comes_back_is_given_the_keys_anew(server: RunningServer) -> None:
    owner, member = await encrypted_team(server)
    await member.caller.do("leaveTeam", {"teamId": owner.team.id}, "leftId")
    await owner.team.rotate()
    given = {"teamId": owner.team.id, "email": member.caller.email}
    await owner.caller.do("inviteToTeam", given, "memberId")
    assert await owner.team.waiting() == [member.account]
    await owner.team.admit(member.account)
    await member.team.refresh()
    assert sorted(member.team.keys) == [1, 2]


async def test_of_concurrent_rotations_one_wins(serve: Serve, settings: Settings) -> None:
    server = await serve(settings.model_copy(update={"rate_limit_max": 1_000_000}))
    owner, *admins = await encrypted_team(server, ["ADMIN"] * 3)
    people = [owner, *admins]
    for number in range(2, dial(4, 30)):
        done = await asyncio.gather(*(p.team.rotate() for p in people), return_exceptions=True)
        lost = [outcome for outcome in done if isinstance(outcome, BaseException)]
        assert {type(e) for e in lost} <= {ServerError}
        assert {e.kind for e in lost if isinstance(e, ServerError)} <= {"Conflict"}
        for one in people:
            await one.team.refresh()
        assert len({one.team.chain[-1].digest for one in people}) == 1
        assert len({one.team.keys[len(one.team.chain)] for one in people}) == 1
        won = len(people) - len(lost)
        assert len(owner.team.chain) >= number
        assert won >= 1
    assert len(await rows_of(server, "key_epochs")) == len(owner.team.chain)


async def test_a_rotation_that_misses_somebody_is_refused(server: RunningServer) -> None:
    owner, _member = await encrypted_team(server)
    late = await joined(owner)
    with pytest.raises(Unverified) as error:
        await owner.team.rotate()
    assert error.value.accounts == (late.account,)
    original = owner.team._read_members

    async def without_the_newcomer() -> None:
        await original()
        del owner.team.members[late.account]

    owner.team._read_members = without_the_newcomer  # type: ignore[method-assign]
    with pytest.raises(ServerError, match=r"Conflict.*each member"):
        await owner.team.rotate()


async def test_new_keys_of_a_member_are_refused_until_somebody_compares_them(
    server: RunningServer,
) -> None:
    owner, member = await encrypted_team(server)
    await member.team.write({"summary": "By the old keys"})
    new = Identity.generate(member.caller.id, 2)
    await publish_keys(member.team._server, new, member.trust)
    await owner.team.refresh()
    assert owner.team.changed[member.account].fingerprint == new.public.fingerprint
    with pytest.raises(Unverified):
        await owner.team.rotate()
    owner.trust.verify(owner.team.changed[member.account], new.public.fingerprint)
    await owner.team.admit(member.account)
    member.team.own, member.team.keys = new, {}
    await member.team.refresh()
    await member.team.write({"summary": "By the new keys"})
    assert await read(owner) == ["By the new keys", "By the old keys"]
    late = await joined(owner)
    owner.compare(late)
    await owner.team.admit(late.account)
    assert await read(late) == ["By the new keys", "By the old keys"]
    await seen_in_feed_and_audit(owner.caller, owner.team.id, new.public.fingerprint)


async def seen_in_feed_and_audit(caller: Caller, team_id: str, fingerprint: str) -> None:
    changes = """query ($team: [ID!]) { changes(scopes: $team, first: 100) { nodes {
      ... on PublicKeysSet { number fingerprint } } } }"""
    told = (await caller.ask(changes, team=[team_id]))["changes"]["nodes"]
    assert {"number": 2, "fingerprint": fingerprint} in told
    audit = """query ($team: ID!) { team(id: $team) { audit(filter: {kinds: [PUBLIC_KEYS_SET]}) {
      nodes { detail } } } }"""
    events = (await caller.ask(audit, team=team_id))["team"]["audit"]["nodes"]
    assert {"detail": {"number": 2, "fingerprint": fingerprint}} in events


async def test_an_author_with_unknown_keys_is_named(server: RunningServer) -> None:
    owner, member = await encrypted_team(server)
    new = Identity.generate(member.caller.id, 2)
    await publish_keys(member.team._server, new, member.trust)
    owner.trust.verify(new.public, new.public.fingerprint)
    await owner.team.admit(member.account)
    member.team.own, member.team.keys = new, {}
    await member.team.refresh()
    await member.team.write({"summary": "Who is this?"})
    forgetful = await joined(owner)
    owner.compare(forgetful)
    await owner.team.admit(forgetful.account)
    await forgetful.team.refresh()
    del forgetful.trust.pins[member.account].keys[-1]
    with pytest.raises(KeysChanged):
        await read(forgetful)


async def test_search_finds_by_words_of_any_epoch_and_only_where_it_was_wanted(
    server: RunningServer,
) -> None:
    owner, member = await encrypted_team(server, searchable=True)
    await owner.team.write({"summary": "Straße and Łódź", "details": "a queue"})
    await owner.team.rotate()
    await member.team.refresh()
    await member.team.write({"summary": "The QUEUE again", "tags": ["очередь"]})

    async def found(query: str) -> list[str]:
        return [e.fields["summary"] async for e in owner.team.search(query)]

    assert await found("queue") == ["The QUEUE again", "Straße and Łódź"]
    assert await found("STRASSE queue") == ["Straße and Łódź"]
    assert await found("Очередь") == ["The QUEUE again"]
    assert await found("nothing") == []
    assert await found(" - ") == []
    plain, _other = await encrypted_team(server)
    plain.team.searchable = True
    with pytest.raises(ServerError, match=r"InvalidInput.*entries.0.tokens"):
        await plain.team.write({"summary": "With tokens"})


async def test_keys_and_pins_survive_in_files(server: RunningServer, tmp_path: Path) -> None:
    owner, member = await encrypted_team(server)
    entry = await owner.team.write({"summary": "Kept"})
    keys, pins = tmp_path / "keys", tmp_path / "pins"
    member.own.save(keys, b"a passphrase")
    assert bytes(member.own.private).hex() not in keys.read_bytes().hex()
    assert keys.stat().st_mode & 0o077 == 0
    member.trust.path = pins
    assert await read(member) == ["Kept"]
    own, trust = Identity.load(keys, b"a passphrase"), Trust.load(pins)
    assert own.public == member.own.public
    assert (trust.pins, trust.epochs) == (member.trust.pins, member.trust.epochs)
    assert trust.revisions == {f"{owner.team.id}/{entry.place.id}": 1}
    with pytest.raises(Exception, match="passphrase"):
        Identity.load(keys, b"another")


def test_a_safety_number_is_the_same_for_both_and_another_for_other_keys() -> None:
    ids = ["00000000-0000-4000-8000-00000000000" + digit for digit in "12"]
    one, other = (Identity.generate(id).public for id in ids)
    assert safety_number(one, other) == safety_number(other, one)
    assert safety_number(one, other) != safety_number(one, Identity.generate(ids[1]).public)
    assert len(safety_number(one, other).split()) == 12


async def rows_of(server: RunningServer, table: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(server.settings.database_url)
    try:
        return await connection.fetch(f"SELECT * FROM {table}")
    finally:
        await connection.close()
