"""Search: every script finds its own words, code its identifiers, typos what was meant."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, Json, newcomer, team_of_two
from tests.graph.test_statements import counted
from tests.support.server import RunningServer

SEARCH = """
query ($q: String!, $team: ID, $first: Int, $after: Cursor, $filter: KnowledgeFilter) {
  searchKnowledge(query: $q, teamId: $team, first: $first, after: $after, filter: $filter) {
    totalCount
    edges { cursor rank matchKind node { id summary }
      summaryFragments { text hit } detailsFragments { text hit } }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""

# ruff: noqa: E501 - a table is read by its rows
# What an entry says, and what people type to find it: whole words and parts of compounds.
WORDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "English": ("Retries exhausted the connection pool", ("connections", "retry", "pool", "connect")),
    "German": ("Datenbankverbindung für Übertragungen geändert",
               ("Datenbankverbindung", "datenbank", "übertragung", "ubertragungen")),
    "French": ("Déploiement échoué à cause du cache", ("déploiement", "deploiement", "échoué")),
    "Turkish": ("Bağlantı havuzu tükendi", ("bağlantı", "havuzu", "tükendi")),
    "Vietnamese": ("Kết nối cơ sở dữ liệu bị lỗi", ("kết nối", "ket noi", "dữ liệu")),
    "Russian": ("Исправили соединения с базой данных", ("соединение", "база", "соедин", "данные")),
    "Ukrainian": ("Помилка підключення до бази", ("помилка", "підключення", "підключ")),
    "Greek": ("Η σύνδεση με τη βάση απέτυχε", ("σύνδεση", "συνδεση", "βάση")),
    "Hebrew": ("החיבור למסד הנתונים נכשל", ("החיבור", "למסד", "הנתונ")),
    "Arabic": ("فشل الاتصال بقاعدة البيانات", ("الاتصال", "اتصال", "البيان")),
    "Persian": ("اتصال به پایگاه داده ناموفق بود", ("پایگاه", "داده")),
    "Hindi": ("डेटाबेस कनेक्शन विफल हुआ", ("डेटाबेस", "कनेक्शन", "कनेक्")),
    "Bengali": ("ডাটাবেস সংযোগ ব্যর্থ", ("সংযোগ", "ডাটাবেস")),
    "Tamil": ("தரவுத்தள இணைப்பு தோல்வி", ("இணைப்பு", "தரவு")),
    "Chinese": ("数据库连接池已耗尽。请重试", ("数据库", "连接", "连接池", "耗尽", "池", "试")),
    "Japanese": ("データベース接続に失敗しました", ("データベース", "接続", "失敗", "データ")),
    "Korean": ("데이터베이스에서 연결을 끊었습니다", ("데이터베이스", "연결", "베이스")),
    "Thai": ("การเชื่อมต่อฐานข้อมูลล้มเหลว", ("ฐานข้อมูล", "เชื่อมต่อ", "ข้อมูล")),
    "Lao": ("ການເຊື່ອມຕໍ່ຖານຂໍ້ມູນ", ("ຖານຂໍ້ມູນ", "ເຊື່ອມຕໍ່")),
    "Khmer": ("ការតភ្ជាប់មូលដ្ឋានទិន្នន័យ", ("មូលដ្ឋាន", "ទិន្នន័យ")),
    "Burmese": ("ဒေတာဘေ့စ်ချိတ်ဆက်မှု", ("ချိတ်ဆက်",)),
    "Georgian": ("მონაცემთა ბაზა დაიხურა", ("მონაცემთა", "ბაზა")),
    "Armenian": ("Տվյալների բազան փակվեց", ("բազան", "տվյալ")),
    "Amharic": ("የመረጃ ቋት ግንኙነት ተቋርጧል", ("ግንኙነት", "ቋት")),
    "mixed scripts": ("Redisキャッシュのtimeoutを直した", ("redis", "キャッシュ", "timeout", "Redisキャッシュ")),
    "emoji": ("Ship it 🚀 when green ✅", ("🚀", "✅", "ship 🚀")),
    "snake_case": ("Call get_user_name before", ("get_user_name", "user_name", "name", "get_user")),
    "camelCase": ("getUserName returns null", ("getUserName", "user name", "getuser")),
    "PascalCase": ("HTTPServerError was raised", ("HTTPServerError", "server", "httpserver", "http")),
    "calls": ("Use foo.bar() instead of foo::baz", ("foo.bar()", "foo.bar", "bar", "foo::baz")),
    "kebab-case": ("Set max-old-space-size for node", ("max-old-space-size", "old-space", "space")),
    "paths": ("Moved src/auth/login.ts away", ("src/auth/login.ts", "login.ts", "auth/login", "login")),
    "error codes": ("rustc says E0502 and TS2345", ("E0502", "e0502", "TS2345")),
    "versions": ("Pinned orjson to v1.2.3 today", ("1.2.3", "v1.2.3", "orjson 1.2.3", "1.2")),
    "flags": ("Run it with --no-cache always", ("--no-cache", "no-cache", "cache")),
    "hashes": ("Broken since deadbeef4242", ("deadbeef4242", "deadbeef")),
    "hosts": ("db.internal.example.org:5432 is down", ("db.internal.example.org", "internal.example", "5432")),
    "C++ and C#": ("Ported from C++ to C#", ("C++", "C#")),
    "quotes": ("It's the \"useEffect\" hook", ("useEffect", "use effect", '"use effect"', "it's")),
}  # fmt: skip
NOT_FOUND = ("unrelated", "无关", "чужое", "🐢", "E0503", "1.2.4", "other_name")


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """One person asks more here in a minute than anybody types."""
    return settings.model_copy(update={"rate_limit_max": 100_000})


@pytest.fixture(scope="module")
def everything() -> list[str]:
    return [text for text, _words in WORDS.values()]


async def summaries(caller: Caller, q: str, **more: Any) -> list[str]:
    data = (await caller.ask(SEARCH, q=q, **more))["searchKnowledge"]
    assert all(edge["matchKind"] == "EXACT" for edge in data["edges"]), (q, data)
    return [edge["node"]["summary"] for edge in data["edges"]]


async def push(caller: Caller, texts: list[str], **fields: Any) -> Json:
    entries = [
        {"type": "decision", "timestamp": 1_700_000_000_000 + n, "summary": text, **fields}
        for n, text in enumerate(texts)
    ]
    return await caller.do("pushKnowledge", {"entries": entries}, "accepted skipped")


async def test_every_kind_of_text_finds_its_own_words(
    server: RunningServer, everything: list[str]
) -> None:
    person = await newcomer(server)
    await push(person, everything)
    missed = [
        (name, word)
        for name, (text, words) in WORDS.items()
        for word in words
        if text not in await summaries(person, word)
    ]
    assert not missed
    for word in NOT_FOUND:
        data = (await person.ask(SEARCH, q=word))["searchKnowledge"]
        assert not [e for e in data["edges"] if e["matchKind"] == "EXACT"], (word, data)


async def test_words_are_found_in_details_tags_projects_and_files(server: RunningServer) -> None:
    person = await newcomer(server)
    await person.write(
        "A", details="数据库连接 and a walrus", tags=["giraffe"], project="zebra-app"
    )
    await person.write("B", relatedFiles=["src/okapi_view.ts"])
    for word, found in (
        ("walrus", "A"),
        ("连接", "A"),
        ("giraffe", "A"),
        ("zebra", "A"),
        ("okapi", "B"),
    ):
        assert await summaries(person, word) == [found]


async def test_a_summary_counts_more_than_tags_and_tags_more_than_details(
    server: RunningServer,
) -> None:
    person = await newcomer(server)
    await person.write("In the details", details="About the walrus")
    await person.write("In the tags", tags=["walrus"])
    await person.write("The walrus itself")
    assert await summaries(person, "walrus") == [
        "The walrus itself",
        "In the tags",
        "In the details",
    ]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("red apple", {"red apple"}),
        ('"apple red"', set()),
        ("red or green", {"red apple", "red pear", "green pear"}),
        ("pear -green", {"red pear"}),
        ("the pear", {"red pear", "green pear"}),
        ("the", set()),
        ("or", set()),
        ('"', set()),
        ("'; DROP TABLE knowledge; --", set()),
        ("a:* & !b | (c", set()),
        ("\\", set()),
        ("((((", set()),
    ],
)
async def test_queries_are_what_a_person_types(
    server: RunningServer, query: str, found: set[str]
) -> None:
    person = await newcomer(server)
    await push(person, ["red apple", "red pear", "green pear"])
    data = (await person.ask(SEARCH, q=query))["searchKnowledge"]
    exact = {e["node"]["summary"] for e in data["edges"] if e["matchKind"] == "EXACT"}
    assert exact == found


@pytest.mark.parametrize(
    ("typo", "meant"),
    [
        ("databse", "The database was slow"),
        ("conection pol", "Connection pool exhausted"),
        ("verbindung", "Datenbankverbindung geändert"),
        ("соидинение", "Соединение потеряно"),
        ("σίνδεση", "Η σύνδεση απέτυχε"),
    ],
)
async def test_a_typo_finds_what_looks_alike_and_says_so(
    server: RunningServer, typo: str, meant: str
) -> None:
    person = await newcomer(server)
    await push(person, [meant, "Nothing of that kind"])
    data = (await person.ask(SEARCH, q=typo))["searchKnowledge"]
    assert [(e["node"]["summary"], e["matchKind"]) for e in data["edges"]] == [(meant, "SIMILAR")]
    assert data["totalCount"] == 1


async def test_without_the_extension_a_typo_finds_nothing(server: RunningServer) -> None:
    person = await newcomer(server)
    await push(person, ["The database was slow"])
    connection = await asyncpg.connect(server.settings.database_url)
    await connection.execute("DROP EXTENSION pg_trgm CASCADE")
    await connection.close()
    data = (await person.ask(SEARCH, q="databse"))["searchKnowledge"]
    assert (data["edges"], data["totalCount"]) == ([], 0)
    assert await summaries(person, "databases") == ["The database was slow"]


def marked(fragments: list[Json]) -> str:
    return "".join(f"[{f['text']}]" if f["hit"] else f["text"] for f in fragments)


@pytest.mark.parametrize(
    ("query", "text", "shown"),
    [
        ("connection", "Two connections & <b>one</b> pool", "Two [connections] & <b>one</b> pool"),
        ("连接", "数据库连接池", "数据库[连接]池"),
        ("user_name", "get_user_name()", "get_[user_name]()"),
        ("🚀", "Ship 🚀 it", "Ship [🚀] it"),
        ("データ pool", "データ and pool", "[データ] and [pool]"),
    ],
)
async def test_hits_are_told_apart_as_pieces_of_the_very_text(
    server: RunningServer, query: str, text: str, shown: str
) -> None:
    person = await newcomer(server)
    await person.write(text, details="long " * 200 + text + " long" * 200)
    (edge,) = (await person.ask(SEARCH, q=query))["searchKnowledge"]["edges"]
    assert "".join(f["text"] for f in edge["summaryFragments"]) == text
    hits = [f["text"] for f in edge["summaryFragments"] if f["hit"]]
    assert "".join(hits).replace(" ", "")
    if not query.isascii() or " " in text:
        assert marked(edge["summaryFragments"]) == shown
    details = edge["detailsFragments"]
    assert any(f["hit"] for f in details)
    assert len("".join(f["text"] for f in details)) < 600


async def test_pages_of_matches_are_the_whole_list_in_order(server: RunningServer) -> None:
    owner, member, team_id = await team_of_two(server)
    for number in range(17):
        text = "walrus " * (1 + number % 3) + str(number // 3)
        await (owner if number % 2 else member).write(f"{text} {number}", team_id)
    whole = await summaries(owner, "walrus", team=team_id, first=100)
    assert len(whole) == 17
    for size in (1, 4, 17):
        found: list[str] = []
        after = None
        while True:
            data = (await owner.ask(SEARCH, q="walrus", team=team_id, first=size, after=after))[
                "searchKnowledge"
            ]
            found += [edge["node"]["summary"] for edge in data["edges"]]
            after = data["pageInfo"]["endCursor"]
            if not data["pageInfo"]["hasNextPage"]:
                break
            await member.write(f"unrelated {len(found)} {size}", team_id)
        assert found == whole


async def test_highlights_and_the_total_cost_a_statement_each_when_asked_for(
    serve: Serve, settings: Settings
) -> None:
    server = await serve(settings.model_copy(update={"query_plans": False}))
    person = await newcomer(server)
    await push(person, [f"walrus {n}" for n in range(100)])
    bare = 'query ($n: Int) { searchKnowledge(query: "walrus", first: $n) { nodes { id } } }'
    figures = {}
    for query in (bare, SEARCH):
        for size in (1, 100):
            with counted() as statements:
                await person.ask(
                    query, **({"n": size} if query is bare else {"q": "walrus", "first": size})
                )
            figures[query, size] = len(statements)
    assert figures[bare, 1] == figures[bare, 100]
    assert figures[SEARCH, 1] == figures[SEARCH, 100] == figures[bare, 1] + 2


async def test_a_cursor_of_a_list_is_refused(server: RunningServer) -> None:
    person = await newcomer(server)
    await person.write("walrus")
    listed = await person.ask("{ knowledge { edges { cursor } } }")
    cursor = listed["knowledge"]["edges"][0]["cursor"]
    content = (await person.post(SEARCH, {"q": "walrus", "after": cursor})).json()
    assert content["errors"][0]["extensions"]["problems"] == [
        {"path": ["after"], "message": "is a cursor of another list or of another ordering"}
    ]


@pytest.mark.parametrize("text", ["".join(chr(0x4E00 + n % 20_000) for n in range(50_000)),
                                  "".join(chr(0x20000 + n * 7 % 40_000) for n in range(50_000)),
                                  "😀" * 50_000, "a_B." * 12_500, "x" * 50_000])  # fmt: skip
async def test_the_longest_details_of_any_script_are_kept(server: RunningServer, text: str) -> None:
    person = await newcomer(server)
    entry_id = await person.write("Long", details=text)
    assert entry_id
    assert await summaries(person, "long") == ["Long"]
