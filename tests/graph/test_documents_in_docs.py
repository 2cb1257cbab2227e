"""The GraphQL that our own pages print is valid, and the README's answers without an error."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from graphql import parse, validate

from graph.build import core_schema
from tests.support.server import RunningServer

ROOT = Path(__file__).parent.parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(r"```graphql\n(.*?)```", re.DOTALL)
DOCUMENTS = [document for page in PAGES for document in BLOCK.findall(page.read_text())]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_printed_documents_fit_the_schema(document: str) -> None:
    assert validate(core_schema(), parse(document)) == []


async def test_the_readmes_first_steps_work(server: RunningServer) -> None:
    text = (ROOT / "README.md").read_text()
    registration, query = re.findall(r"-d '(\{.*?\})'$", text, re.MULTILINE)
    made = await server.client.post("/api/auth/register", json=json.loads(registration))
    key = {"X-API-Key": made.json()["api_key"]}
    answer = await server.client.post("/graphql", json=json.loads(query), headers=key)
    assert answer.json()["data"]["viewer"]["username"] == made.json()["username"]
    assert "errors" not in answer.json()
