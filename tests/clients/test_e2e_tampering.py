"""Whatever a server changes of what members made, members notice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from teamlore_e2e import (
    Entry,
    Identity,
    KeysChanged,
    Place,
    PublicKeys,
    RolledBack,
    Tampered,
    Team,
    Trust,
)
from teamlore_e2e.encoding import b64, said, unb64
from teamlore_e2e.entries import Sealed, open_sealed, seal, tokens_of
from teamlore_e2e.epochs import epoch_statement, verified_chain
from teamlore_e2e.team_key import TeamKey, unwrap, wrap, wrap_statement
from tests.support.dial import dial
from tests.support.members import encrypted_team
from tests.support.server import RunningServer

TEAM, OTHER_TEAM = str(uuid4()), str(uuid4())
ALICE, BOB, EVE = (Identity.generate(str(uuid4())) for _ in range(3))
KEY, NEXT_KEY = TeamKey.generate(TEAM, 1), TeamKey.generate(TEAM, 2)
EXAMPLES = dial(60, 5_000)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)
FIELDS = st.dictionaries(WORDS, WORDS | st.lists(WORDS, max_size=3), max_size=4)


def trusting(*people: Identity) -> Trust:
    trust = Trust()
    for one in people:
        trust.verify(one.public, one.public.fingerprint)
    return trust


def place(**changed: Any) -> Place:
    return replace(Place(TEAM, str(uuid4()), "knowledge", ALICE.account, 1, 1), **changed)


@st.composite
def damage(draw: st.DrawFn, data: bytes) -> bytes:
    """The bytes with a bit turned, a piece cut off or something put behind."""
    how = draw(st.sampled_from(["bit", "cut", "more"]))
    if how == "cut":
        return data[: draw(st.integers(0, len(data) - 1))]
    if how == "more":
        return data + draw(st.binary(min_size=1, max_size=8))
    at = draw(st.integers(0, len(data) * 8 - 1))
    return data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]


@settings(max_examples=EXAMPLES, deadline=None)
@given(fields=FIELDS)
def test_what_is_sealed_opens_as_it_was(fields: dict[str, Any]) -> None:
    sealed = seal(place(), fields, KEY, ALICE)
    assert open_sealed(sealed, KEY, trusting(ALICE)).fields == fields
    assert len(tokens_of(KEY, fields)) % 16 == 0
    assert tokens_of(KEY, fields) == tokens_of(KEY, dict(reversed(fields.items())))


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_no_bit_of_an_entry_can_be_changed(data: st.DataObject) -> None:
    sealed = seal(place(), {"summary": "As it was"}, KEY, ALICE)
    part = data.draw(st.sampled_from(["ciphertext", "nonce"]))
    changed: Any = data.draw(damage(getattr(sealed, part)))
    with pytest.raises(Tampered):
        open_sealed(replace(sealed, **{part: changed}), KEY, trusting(ALICE, BOB))


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    changes=st.fixed_dictionaries(
        {},
        optional={
            "team": st.uuids(version=4).map(str),
            "id": st.uuids(version=4).map(str),
            "kind": st.just("summary"),
            "author": st.sampled_from([BOB.account, EVE.account]),
            "epoch": st.integers(2, 5),
            "revision": st.integers(2, 5),
        },
    ).filter(bool)
)
def test_an_entry_cannot_be_put_elsewhere(changes: dict[str, Any]) -> None:
    sealed = seal(place(), {"summary": "In its place"}, KEY, ALICE)
    moved = replace(sealed, place=replace(sealed.place, **changes))
    with pytest.raises(Tampered):
        open_sealed(moved, KEY, trusting(ALICE, BOB, EVE))
    # Even with the same secret as the key of that place, as after a sloppy rotation.
    reused = TeamKey(moved.place.team, moved.place.epoch, KEY.secret)
    with pytest.raises(Tampered):
        open_sealed(moved, reused, trusting(ALICE, BOB, EVE))


def test_a_member_cannot_write_as_another() -> None:
    forged = seal(place(author=ALICE.account), {"summary": "By Alice?"}, KEY, BOB)
    with pytest.raises(Tampered, match="not signed"):
        open_sealed(forged, KEY, trusting(ALICE, BOB))


def test_the_ciphertext_of_two_equal_entries_is_different_and_their_length_padded() -> None:
    where = place()
    one, two = (seal(where, {"summary": "Equal"}, KEY, ALICE) for _ in range(2))
    longer = seal(where, {"summary": "A little longer"}, KEY, ALICE)
    assert one.ciphertext != two.ciphertext
    assert len(one.ciphertext) == len(two.ciphertext) == len(longer.ciphertext)


def chain_of(*links: tuple[Identity, list[Identity]]) -> list[dict[str, Any]]:
    """The epochs of a team as a server shows them: who made each, for whom."""
    nodes: list[dict[str, Any]] = []
    previous = ""
    for number, (maker, members) in enumerate(links, 1):
        key = TeamKey.generate(TEAM, number)
        signed = epoch_statement(key, maker.account, [m.public for m in members], previous)
        previous = hashlib.sha256(signed).hexdigest()
        nodes.append(
            {
                "number": number,
                "statement": b64(signed),
                "signature": b64(maker.sign(signed)),
                "createdById": maker.account,
            }
        )
    return nodes


def test_a_chain_is_what_its_makers_said() -> None:
    everybody = [ALICE, BOB, EVE]
    nodes = chain_of((ALICE, everybody), (BOB, everybody), (ALICE, [ALICE, BOB]))
    trust = trusting(*everybody)
    chain = verified_chain(TEAM, nodes, trust)
    assert [epoch.maker for epoch in chain] == [ALICE.account, BOB.account, ALICE.account]
    assert verified_chain(TEAM, nodes, trust) == chain
    for shown in (nodes[:2], nodes[:1], [], chain_of(*[(ALICE, everybody)] * 3)):
        with pytest.raises(RolledBack):
            verified_chain(TEAM, shown, trust)
    for shown in (nodes[1:], [nodes[0], nodes[2]], nodes[::-1], [*nodes, nodes[2]]):
        with pytest.raises(Tampered):
            verified_chain(TEAM, shown, trusting(*everybody))
    with pytest.raises(Tampered):
        verified_chain(OTHER_TEAM, nodes, trusting(*everybody))


def test_who_has_left_makes_no_epoch_whatever_the_server_says() -> None:
    trust = trusting(ALICE, BOB, EVE)
    nodes = chain_of((ALICE, [ALICE, BOB, EVE]), (ALICE, [ALICE, BOB]), (EVE, [ALICE, BOB, EVE]))
    with pytest.raises(Tampered, match="had left"):
        verified_chain(TEAM, nodes, trust)
    outsider = chain_of((ALICE, [ALICE, BOB]), (EVE, [ALICE, BOB]))
    with pytest.raises(Tampered, match="not in it"):
        verified_chain(TEAM, outsider, trust)
    back = chain_of((ALICE, [ALICE, EVE]), (ALICE, [ALICE]), (ALICE, [ALICE, EVE]), (EVE, [EVE]))
    assert len(verified_chain(TEAM, back, trust)) == 4


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_no_bit_of_an_epoch_can_be_changed(data: st.DataObject) -> None:
    nodes = chain_of((ALICE, [ALICE, BOB]), (BOB, [ALICE, BOB]))
    node = data.draw(st.sampled_from(nodes))
    part = data.draw(st.sampled_from(["statement", "signature", "createdById", "number"]))
    if part == "createdById":
        node[part] = data.draw(st.sampled_from([EVE.account, str(uuid4())]))
    elif part == "number":
        node[part] += data.draw(st.sampled_from([-1, 1, 5]))
    else:
        node[part] = b64(data.draw(damage(unb64(node[part]))))
    with pytest.raises(Tampered):
        verified_chain(TEAM, nodes, trusting(ALICE, BOB, EVE))


@pytest.mark.parametrize(
    "change",
    [{"members": None}, {"members": 5}, {"members": [5]}, {"melbers": [], "kind": "epoch"}, {}],
)
def test_a_statement_of_other_words_is_none(change: dict[str, object]) -> None:
    nodes = chain_of((ALICE, [ALICE, BOB]))
    content = said("epoch", unb64(nodes[0]["statement"]))
    del content["members"]
    text = json.dumps({**content, **change}, sort_keys=True, separators=(",", ":"))
    nodes[0]["statement"] = b64(b"teamlore-e2e/v1/epoch\0" + text.encode())
    with pytest.raises(Tampered):
        verified_chain(TEAM, nodes, trusting(ALICE, BOB))


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_no_bit_of_a_wrapped_key_can_be_changed_and_no_other_key_put_in(
    data: st.DataObject,
) -> None:
    made = wrap(KEY, BOB.public, ALICE)
    assert unwrap(TEAM, 1, made.wrapped, BOB, KEY.commitment) == KEY
    trusting(ALICE).signed_by(
        ALICE.account, wrap_statement(TEAM, 1, BOB.public, made.wrapped), made.signature
    )
    changed = data.draw(damage(made.wrapped))
    with pytest.raises(Tampered):
        unwrap(TEAM, 1, changed, BOB, KEY.commitment)
    with pytest.raises(Tampered):
        unwrap(TEAM, 1, made.wrapped, EVE, KEY.commitment)
    other = wrap(TeamKey.generate(TEAM, 1), BOB.public, ALICE)
    with pytest.raises(Tampered, match="not the key"):
        unwrap(TEAM, 1, other.wrapped, BOB, KEY.commitment)
    for statement in (
        wrap_statement(TEAM, 2, BOB.public, made.wrapped),
        wrap_statement(OTHER_TEAM, 1, BOB.public, made.wrapped),
        wrap_statement(TEAM, 1, EVE.public, made.wrapped),
    ):
        with pytest.raises(Tampered):
            trusting(ALICE).signed_by(ALICE.account, statement, made.signature)


@settings(max_examples=EXAMPLES, deadline=None)
@given(data=st.data())
def test_no_bit_of_public_keys_can_be_changed(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from(["wrapping", "signing", "proof", "number", "account"]))
    changed: Any
    if part == "number":
        changed = data.draw(st.integers(2, 9))
    elif part == "account":
        changed = BOB.account
    else:
        changed = data.draw(damage(getattr(ALICE.public, part)))
    keys = replace(ALICE.public, **{part: changed})
    with pytest.raises(Tampered):
        keys.check()


def test_other_keys_than_pinned_ones_are_refused_and_a_wrong_fingerprint_is_no_help() -> None:
    trust = trusting(ALICE)
    new = Identity.generate(ALICE.account, 2).public
    with pytest.raises(KeysChanged):
        trust.see([new, ALICE.public])
    with pytest.raises(Tampered):
        trust.verify(new, ALICE.public.fingerprint)
    assert not trust.is_verified(new)
    first = Trust()
    first.see([BOB.public])
    assert not first.is_verified(BOB.public)  # the first sight is no proof


Change = Callable[[dict[str, Any]], Any]
LIES: dict[str, Change] = {
    "the text of another entry": lambda node: node.update(ciphertext=node["other"]),
    "another author": lambda node: node.update(authorId=str(uuid4())),
    "another id": lambda node: node.update(id=str(uuid4())),
    "another kind": lambda node: node.update(entryKind="SUMMARY"),
    "another revision": lambda node: node.update(revision=node["revision"] + 1),
    "another team": lambda node: node.update(teamId=str(uuid4())),
    "an earlier revision": lambda node: node.update(node["before"]),
}


async def test_a_server_that_lies_about_an_entry_is_found_out(server: RunningServer) -> None:
    owner, member = await encrypted_team(server)
    first = await owner.team.write({"summary": "First"})
    before = await only(member.team)
    await owner.team.write({"summary": "Other"})
    await owner.team.write({"summary": "Second"}, replaces=first)
    nodes = [node async for node in member.team._pages(kind=None, matching=None)]
    assert [member.team.open(node).fields["summary"] for node in nodes] == ["Second", "Other"]
    for lie, change in LIES.items():
        told = nodes[0] | {"other": nodes[1]["ciphertext"], "before": before}
        change(told)
        with pytest.raises(Tampered):
            pytest.fail(f"{lie}: {member.team.open(told)}")


async def only(team: Team) -> dict[str, Any]:
    (node,) = [node async for node in team._pages(kind=None, matching=None)]
    return node


async def test_a_server_that_slips_in_a_member_gets_no_key(server: RunningServer) -> None:
    owner, member = await encrypted_team(server)
    ghost = Identity.generate(str(uuid4())).public
    honest = owner.team._read_members

    async def with_a_ghost() -> None:
        await honest()
        owner.trust.see([ghost])
        owner.team.members[ghost.account] = ghost

    owner.team._read_members = with_a_ghost  # type: ignore[method-assign]
    with pytest.raises(Exception, match=ghost.account):
        await owner.team.rotate()
    with pytest.raises(Exception, match=ghost.account):
        await owner.team.admit(ghost.account)

    async def with_other_keys() -> None:
        await honest()
        owner.team.members[member.account] = replace(ghost, account=member.account)

    owner.team._read_members = with_other_keys  # type: ignore[method-assign]
    with pytest.raises(Exception, match=member.account):
        await owner.team.admit(member.account)


def test_these_are_all_the_parts_of_an_entry_that_the_server_knows() -> None:
    """A new field of `Place` has to be bound too; one of `Sealed` has to be covered above."""
    bound = place().bound.decode()
    assert all(f'"{name}":' in bound for name in Place.__dataclass_fields__)
    assert list(Sealed.__dataclass_fields__) == ["place", "nonce", "ciphertext"]
    assert list(PublicKeys.__dataclass_fields__)[:2] == ["account", "number"]
    assert list(Entry.__dataclass_fields__) == ["place", "fields"]
