"""Rows as the Cloud API's clients read them: the server's snake_case and the client's camelCase."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.alias_generators import to_camel

from domain.entries import Entry
from domain.patterns import Pattern
from domain.summaries import Summary
from domain.sync import Tombstone
from domain.teams import Member, Team


def both_spellings(row: Mapping[str, Any]) -> dict[str, Any]:
    """`row` with every snake_case name in camelCase as well."""
    return {**row, **{to_camel(name): value for name, value in row.items() if "_" in name}}


def entry(item: Entry | Tombstone) -> dict[str, Any]:
    """An entry of knowledge."""
    if isinstance(item, Tombstone):
        return tombstone(item)
    return both_spellings(
        {
            "id": item.id,
            "user_id": item.author_id,
            "team_id": item.team_id,
            "type": item.type,
            "project": item.project,
            "session_id": item.session_id,
            "timestamp": item.timestamp,
            "summary": item.summary,
            "details": item.details,
            "tags": item.tags,
            "related_files": item.related_files,
            "created_at": item.created_at,
            "updated_at": item.updated_at,
        }
    )


def summary(item: Summary | Tombstone) -> dict[str, Any]:
    """A session's summary."""
    if isinstance(item, Tombstone):
        return tombstone(item)
    return both_spellings(
        {
            "id": item.id,
            "session_id": item.session_id,
            "user_id": item.author_id,
            "team_id": item.team_id,
            "project": item.project,
            "summary": item.summary,
            "created_at": item.created_at,
            "updated_at": item.updated_at,
        }
    )


def tombstone(item: Tombstone) -> dict[str, Any]:
    """What remains of a deleted row."""
    return {"id": item.id, "deleted": True}


def team(item: Team) -> dict[str, Any]:
    """A team as one of its members sees it."""
    return both_spellings(
        {
            "id": item.id,
            "name": item.name,
            "owner_id": item.owner_id,
            "created_at": item.created_at,
            "role": item.role,
        }
    )


def member(item: Member) -> dict[str, Any]:
    """A member of a team."""
    row = {"email": item.email, "username": item.username, "role": item.role}
    return both_spellings({"id": item.account_id, **row, "joined_at": item.joined_at})


def pattern(item: Pattern) -> dict[str, Any]:
    """A community pattern."""
    return {
        "id": item.id,
        "type": item.type,
        "category": item.category,
        "platform": item.platform,
        "approach": item.approach,
        "tags": item.tags,
        "effectiveness": item.effectiveness,
        "contributorCount": item.contributor_count,
        "firstSeen": item.first_seen,
        "lastSeen": item.last_seen,
    }
