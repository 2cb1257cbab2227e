"""A conversation to take away, in formats that others read."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.graph.client import Caller, newcomer
from tests.graph.test_conversations import put
from tests.support.library import answered, said
from tests.support.server import RunningServer

EVIL = "<script>alert('1')</script> & \x00 \ud83d"


async def talk(server: RunningServer) -> Caller:
    owner = await newcomer(server)
    answer = answered("m", "r", (1, 1, 0, 0, 0))
    answer["message"]["content"] = [
        {"type": "thinking", "thinking": EVIL},
        {"type": "text", "text": f"Answer {EVIL}"},
        {"type": "tool_use", "id": "t", "name": f"Bash{EVIL}", "input": {"command": EVIL}},
    ]
    result = said("")
    result["message"]["content"] = [
        {"type": "tool_result", "tool_use_id": "t", "is_error": True, "content": EVIL}
    ]
    title = {"type": "custom-title", "customTitle": f"Title {EVIL}"}
    await put(owner, "s", said(f"Question {EVIL}"), answer, result, b"broken \xff", title)
    return owner


async def fetch(caller: Caller, kind: str, session: str = "s") -> httpx.Response:
    url = f"/api/sessions/{session}/export"
    params = {"format": kind}
    return await caller.server.client.get(url, params=params, headers=caller.headers)


async def test_html_is_escaped_and_runs_nothing(server: RunningServer) -> None:
    answer = await fetch(await talk(server), "html")
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "<script" not in answer.text
    assert answer.text.count("&lt;script&gt;") == 8
    assert answer.text.endswith("</html>\n")
    assert '<details class="error">' in answer.text


async def test_markdown_has_all_that_was_said(server: RunningServer) -> None:
    answer = await fetch(await talk(server), "md")
    assert answer.headers["content-type"].startswith("text/markdown")
    assert answer.text.startswith("# Title ")
    assert answer.text.index("Question") < answer.text.index("Answer") < answer.text.index("Error")


async def test_json_has_every_record_as_it_stands(server: RunningServer) -> None:
    answer = await fetch(await talk(server), "json")
    content = json.loads(answer.content)
    assert content["session_id"] == "s"
    kinds = [record.get("type") for record in content["records"]]
    assert kinds == ["user", "assistant", "user", None, "custom-title"]
    assert content["records"][0]["message"]["content"] == f"Question {EVIL}"
    assert content["records"][3] == {"broken_line": "broken \ufffd"}


@pytest.mark.parametrize("data", [b"", b"\n\n", b"nothing"])
@pytest.mark.parametrize("kind", ["md", "html", "json"])
async def test_there_is_an_export_of_anything(
    server: RunningServer, data: bytes, kind: str
) -> None:
    owner = await newcomer(server)
    await owner.server.client.put(
        "/api/sessions/conversation/s", content=data, headers=owner.headers
    )
    answer = await fetch(owner, kind)
    assert answer.status_code == 200
    if kind == "json":
        assert len(json.loads(answer.content)["records"]) == (data == b"nothing")


async def test_others_and_other_formats_get_nothing(server: RunningServer) -> None:
    owner, other = await talk(server), await newcomer(server)
    assert (await fetch(other, "md")).status_code == 404
    assert (await fetch(owner, "md", "none")).status_code == 404
    assert (await fetch(owner, "pdf")).status_code == 400
    assert (await fetch(Caller(server), "md")).status_code == 401
