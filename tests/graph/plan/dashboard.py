"""The dashboard's own queries, with variables for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from graphql import DocumentNode, FragmentDefinitionNode, OperationDefinitionNode, parse, print_ast

from tests.graph.plan.estate import SUBAGENT, Estate

_SOURCES = Path(__file__).parents[3] / "web" / "src"
_OF_TEAMS = {"Team", "TeamInvitations", "TeamAudit"}
_VALUES: dict[str, Any] = {
    "at": "2026-05-01T12:00:00Z",
    "week": 0,
    "orderBy": "UPDATED",
    "query": "how",
    "text": "s",
    "words": "how",
    "searched": True,
    "file": "",
    "line": 5,
    "first": 5,
}


def documents() -> dict[str, str]:
    """The queries in the dashboard's sources by name, with the fragments that they spread."""
    fragments: dict[str, FragmentDefinitionNode] = {}
    found: dict[str, OperationDefinitionNode] = {}
    for path in sorted(_SOURCES.rglob("*.ts*")):
        for text in re.findall(r"graphql\(\s*`(.*?)`", path.read_text(), re.DOTALL):
            for node in parse(text.replace("@_unmask", "")).definitions:
                if isinstance(node, FragmentDefinitionNode):
                    fragments[node.name.value] = node
                elif isinstance(node, OperationDefinitionNode) and node.name:
                    found |= {node.name.value: node} if node.operation.value == "query" else {}
    documents = {}
    for name, node in found.items():
        spread = {s for s in re.findall(r"\.\.\.\s*(\w+)", print_ast(node)) if s in fragments}
        parts = (node, *(fragments[s] for s in sorted(spread)))
        documents[name] = print_ast(DocumentNode(definitions=parts))
    return documents


def variables(name: str, text: str, estate: Estate) -> list[dict[str, Any]]:
    """What to ask it with: something that is there, and sometimes something else."""
    given = {n: v for n, v in _VALUES.items() if re.search(rf"\${n}:", text)}
    if re.search(r"\$id:", text):
        of = "team" if name in _OF_TEAMS else "entry" if name == "OneEntry" else "session"
        given["id"] = estate.ids[of]
    if name == "Patterns":
        return [{}, {"orderBy": "NEWEST", "filter": {"tags": ["locks"]}}]
    sets = [given]
    if "line" in given:
        sets += [{**given, "line": 1}, {**given, "line": 400}, {**given, "file": SUBAGENT}]
    if re.search(r"\$teamId:", text):
        sets.append({**given, "teamId": estate.team})
    return sets
