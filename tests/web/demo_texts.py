"""What the company of the pictures talks about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

NOW: Final = datetime.now(UTC)


@dataclass(frozen=True)
class Entry:
    """Something learned."""

    by: str
    type: str
    summary: str
    project: str
    tags: tuple[str, ...]
    hours_ago: float
    details: str | None = None
    team: bool = True
    talk: str = ""
    """The title of the session that it was learned in."""


@dataclass(frozen=True)
class Talk:
    """A session."""

    title: str
    project: str
    branch: str
    turns: int
    hours_ago: float
    hours: float
    question: str
    answer: str

    @property
    def ended(self) -> datetime:
        """When its last line was written."""
        return NOW - timedelta(hours=self.hours_ago)

    @property
    def begun(self) -> datetime:
        """When its first line was written."""
        return self.ended - timedelta(hours=self.hours)


SESSIONS: Final = (
    Talk(
        "Idempotency keys for card payments",
        "checkout",
        "feat/idempotency",
        14,
        0.01,
        1.6,
        "A retry after a timeout charges the card twice. How do we stop that for good?",
        "",
    ),
    Talk(
        "Ledger export runs out of memory",
        "ledger",
        "fix/export-memory",
        38,
        3,
        5,
        "The nightly export dies at 4 GB.",
        "It holds every row; a server-side cursor streams them.",
    ),
    Talk(
        "Move the importer to a queue",
        "importer",
        "main",
        61,
        21,
        8,
        "The importer blocks the web workers.",
        "A queue with idempotent jobs takes it off the request.",
    ),
    Talk(
        "Flaky test in refunds",
        "checkout",
        "fix/refund-clock",
        22,
        27,
        2,
        "test_refund_window fails once in fifty.",
        "It compares two clocks; freeze one of them.",
    ),
    Talk(
        "Upgrade to PostgreSQL 17",
        "infra",
        "chore/pg17",
        47,
        50,
        9,
        "What breaks when we go from 15 to 17?",
        "Two extensions and one removed setting.",
    ),
    Talk(
        "Dark theme for the back office",
        "web",
        "feat/dark",
        33,
        74,
        6,
        "Can we do this without a second stylesheet?",
        "light-dark() and one set of variables.",
    ),
    Talk(
        "Why is the search slow?",
        "web",
        "perf/search",
        54,
        98,
        7,
        "Search takes 900 ms at p95.",
        "The plan reads the whole table: the index has another collation.",
    ),
    Talk(
        "Rate limits per merchant",
        "checkout",
        "feat/limits",
        29,
        146,
        4,
        "One merchant can starve the others.",
        "A token bucket in the gateway, keyed by merchant.",
    ),
    Talk(
        "Audit log for payouts",
        "ledger",
        "feat/audit",
        41,
        170,
        5,
        "Who approved which payout?",
        "An append-only table that a trigger protects.",
    ),
    Talk(
        "Split the deploy into two steps",
        "infra",
        "chore/deploy",
        18,
        220,
        2,
        "Migrations and code go out together.",
        "Expand first, contract a release later.",
    ),
    Talk(
        "Currency rounding in invoices",
        "ledger",
        "fix/rounding",
        26,
        290,
        3,
        "Invoices are off by one cent.",
        "Round once, at the end, half to even.",
    ),
    Talk(
        "Webhook signatures",
        "checkout",
        "feat/webhooks",
        35,
        400,
        4,
        "How do we verify the sender?",
        "An HMAC over the raw body, compared in constant time.",
    ),
)

ENTRIES: Final = (
    Entry(
        "ada",
        "solution",
        "Give every card payment an idempotency key and store its first answer",
        "checkout",
        ("payments", "retries"),
        0.4,
        "The key is made by the client, unique per merchant, and kept for 24 hours.\n"
        "A retry gets the stored answer; one that runs meanwhile gets 409.",
        talk="Idempotency keys for card payments",
    ),
    Entry(
        "ada",
        "decision",
        "Money is an integer of the smallest unit, never a float",
        "ledger",
        ("money",),
        30,
        "Rounding happens once, at the end, half to even.",
    ),
    Entry(
        "ines",
        "error_fix",
        "Stream exports with a server-side cursor: fetchall() runs out of memory",
        "ledger",
        ("postgres", "exports"),
        2.5,
        "asyncpg: connection.cursor() inside a transaction, prefetch 1,000.",
    ),
    Entry(
        "tomas",
        "pattern",
        "Retries need full jitter and a cap, or they arrive together",
        "importer",
        ("retries", "queues"),
        20,
    ),
    Entry(
        "ines",
        "solution",
        "Freeze the clock in tests that compare it with a deadline",
        "checkout",
        ("tests", "flaky"),
        26,
    ),
    Entry(
        "ada",
        "decision",
        "Expand first, contract one release later",
        "infra",
        ("migrations",),
        49,
        "A column is added, written and read before the old one goes.",
    ),
    Entry(
        "tomas",
        "error_fix",
        "The index is not used: it has another collation than the column",
        "web",
        ("postgres", "search"),
        97,
    ),
    Entry(
        "ada",
        "pattern",
        "Compare signatures in constant time, over the raw body",
        "checkout",
        ("webhooks", "security"),
        140,
        team=False,
    ),
    Entry(
        "ada",
        "solution",
        "light-dark() makes a dark theme out of one set of variables",
        "web",
        ("css",),
        75,
        team=False,
    ),
    Entry(
        "tomas",
        "decision",
        "One token bucket a merchant, in the gateway",
        "checkout",
        ("limits",),
        145,
    ),
)

OLDER: Final = (
    ("Set a statement timeout for {place}", "postgres"),
    ("Log the request id in {place}", "logging"),
    ("Pin the base image of {place}", "docker"),
    ("Bound the queue of {place}", "queues"),
    ("Name the owner of {place} in its README", "docs"),
    ("Close idle connections of {place} after a minute", "postgres"),
    ("Give {place} a health check of its own", "deploys"),
    ("Fail fast when {place} has no configuration", "configuration"),
)

PATTERNS: Final[list[dict[str, Any]]] = [
    {"type": "PATTERN", "category": "Reliability", "tags": ["retries"], "effectiveness": 0.9,
     "approach": "Retry with full jitter and a cap"},
    {"type": "ERROR_FIX", "category": "Database", "tags": ["postgres"], "platform": "linux",
     "effectiveness": 0.8, "approach": "Stream large results with a server side cursor"},
    {"type": "SOLUTION", "category": "Testing", "tags": ["flaky tests"], "effectiveness": 0.9,
     "approach": "Freeze the clock in tests that compare it with a deadline"},
    {"type": "DECISION", "category": "Deployment", "tags": ["migrations"],
     "approach": "Expand the schema first and contract it one release later"},
    {"type": "PATTERN", "category": "Security", "tags": ["webhooks"], "effectiveness": 1.0,
     "approach": "Compare signatures in constant time over the raw body"},
]  # fmt: skip


class Story:
    """The one conversation that is shown line by line."""

    note = "How we got rid of double charges. Worth a read before you touch retries."

    def lines(self, talk: Talk) -> list[dict[str, Any]]:
        """Its records."""
        code = (
            'key = request.headers["Idempotency-Key"]\n'
            "charge = await gateway.charge(order, key=key)\n"
        )
        asked = [
            talk.question,
            "Where would the key be stored, and for how long?",
            "And two requests with the same key at the same time?",
            "Good. Write the migration and the test that fails without it.",
        ]
        answers = [
            "A timeout tells us nothing about what the gateway did, so the retry must be harmless. "
            "Let the client send an idempotency key, store the first answer under it, and give "
            "every retry that stored answer.",
            "In a table of its own, unique on (merchant, key), in the same transaction as the "
            "charge. Twenty-four hours is what the gateway keeps too; a sweep removes older rows.",
            "The second one loses the insert and answers 409 with Retry-After. It must not wait: "
            "a waiting request holds a connection for as long as the gateway takes.",
            "Done: 312 tests pass, and the new one fails when the unique index is dropped.",
        ]
        calls = [
            ("Grep", {"pattern": "def charge", "path": "checkout/"}, "checkout/payments.py:88"),
            (
                "Edit",
                {
                    "file_path": "checkout/payments.py",
                    "old_string": "charge = await gateway.charge(order)\n",
                    "new_string": code,
                },
                "The file has been updated.",
            ),
            (
                "Task",
                {
                    "description": "Look for other callers without a key",
                    "prompt": "Find every call of gateway.charge",
                },
                "Two more, both in refunds.py",
            ),
            ("Bash", {"command": "pytest -q checkout"}, "312 passed in 41.90s"),
        ]
        records: list[dict[str, Any]] = [
            {"type": "summary", "summary": talk.title, "leafUuid": "a3"}
        ]
        for turn, (question, answer, call) in enumerate(zip(asked, answers, calls, strict=True)):
            at = talk.begun + (talk.ended - talk.begun) * turn / len(asked)
            records += self.turn(talk, turn, at, question, answer, call)
        return records

    def turn(
        self,
        talk: Talk,
        turn: int,
        at: datetime,
        question: str,
        answer: str,
        call: tuple[str, dict[str, Any], str],
    ) -> list[dict[str, Any]]:
        """A question, a tool that is called, its result, and the answer."""
        name, given, result = call
        known = {"cwd": "/srv/checkout", "gitBranch": talk.branch, "version": "2.0.14"}
        usage = {
            "input_tokens": 1_840 + turn * 310,
            "output_tokens": 620 + turn * 95,
            "cache_creation_input_tokens": 9_200,
            "cache_read_input_tokens": 64_000 + turn * 8_000,
        }

        def record(kind: str, number: int, content: Any, **more: Any) -> dict[str, Any]:
            message = {"role": kind, "content": content, **more}
            stamp = (at + timedelta(seconds=20 * number)).isoformat()
            return {
                "type": kind, "uuid": f"{kind[0]}{turn}-{number}", "timestamp": stamp,
                "message": message, **known,
            }  # fmt: skip

        tool = {"type": "tool_use", "id": f"toolu_{turn}", "name": name, "input": given}
        thought = {
            "type": "thinking",
            "thinking": "What is the smallest thing that cannot go wrong?",
        }
        model = {"model": "claude-opus-4-1-20250805", "usage": usage}
        return [
            record("user", 0, question),
            record("assistant", 1, [thought, tool], id=f"m{turn}a", **model),
            record(
                "user", 2, [{"type": "tool_result", "tool_use_id": tool["id"], "content": result}]
            ),
            record("assistant", 3, [{"type": "text", "text": answer}], id=f"m{turn}b", **model),
        ]

    def subagent(self, talk: Talk) -> list[dict[str, Any]]:
        """What the subagent said."""
        records = self.lines(talk)[1:5]
        return [{**record, "isSidechain": True, "agentId": "a1f03c"} for record in records]


STORY: Final = Story()
