"""Nobody in particular: sees a scope, and notices every question about itself."""

from __future__ import annotations

from dataclasses import fields
from uuid import uuid4

import pytest

from db.engine import Database
from domain import people, teams
from domain.actor import Actor
from domain.policy import require
from domain.scope_reader import Personal, ScopeReader, team_facts, within


@pytest.mark.parametrize("name", [f.name for f in fields(Actor) if f.name != "roles"])
def test_whatever_belongs_to_somebody_is_personal(name: str) -> None:
    reader = ScopeReader(uuid4())
    assert not reader.touched
    with pytest.raises(Personal):
        getattr(reader, name)
    assert reader.touched


def test_the_scope_is_known_and_the_role_in_it_is_personal() -> None:
    scope_id = uuid4()
    reader = ScopeReader(scope_id)
    assert reader.access.scopes == (scope_id,)
    assert scope_id in reader.roles
    assert uuid4() not in reader.roles
    assert reader.roles.get(uuid4()) is None
    assert not reader.touched
    with pytest.raises(Personal):
        require(reader, "team.read", scope_id)
    assert reader.touched


def test_the_account_behind_its_access_is_personal() -> None:
    reader = ScopeReader(uuid4())
    with pytest.raises(Personal):
        _ = reader.access.account_id
    assert reader.touched


def test_somebody_within_a_scope_keeps_the_role_and_loses_the_rest() -> None:
    team_id, account_id = uuid4(), uuid4()
    actor = Actor(account_id, {account_id: "owner", team_id: "admin"})
    assert within(actor, team_id) == Actor(account_id, {team_id: "admin"})


async def test_it_sees_the_people_and_the_name_of_its_team_only(db: Database) -> None:
    from tests.domain.test_feed import person, team

    (owner, member), stranger = [await person(db) for _ in range(2)], await person(db)
    team_id, _everybody = await team(db, owner, member)
    await team(db, stranger, member)
    reader = ScopeReader(team_id)
    asked = [owner.account_id, member.account_id, stranger.account_id]
    found = await people.by_ids(db, reader, asked)
    assert {who.id for who in found} == {owner.account_id, member.account_id}
    assert [facts.name for facts in await team_facts(db, reader)] == ["Readers"]
    assert not reader.touched
    with pytest.raises(Personal):
        await teams.mine(db, reader)
