"""Codes in mails: a forgotten password, an address that proves to be one's own, and no hints."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from email.message import EmailMessage

import asyncpg
import pytest

from domain import mail
from settings import Settings
from tests.conftest import Serve
from tests.graph.client import Caller, Json, newcomer
from tests.graph.test_accounts import ME, username_only
from tests.graph.test_statements import counted
from tests.support.server import RunningServer
from tests.support.smtp import Mailbox, mailbox

NEW = "longer still"
VERIFIED = "{ viewer { emailVerifiedAt } }"


@pytest.fixture
async def box() -> AsyncIterator[Mailbox]:
    async with mailbox() as box:
        yield box


@pytest.fixture
async def posting(serve: Serve, settings: Settings, box: Mailbox) -> RunningServer:
    """A server that sends mail."""
    url = f"smtp://teamlore:p%40ss@127.0.0.1:{box.port}"
    more = {"smtp_url": url, "mail_from": "Teamlore <teamlore@example.org>"}
    return await serve(settings.model_copy(update={**more, "public_url": "https://tea.example"}))


def code_in(letter: EmailMessage) -> str:
    found = re.search(r"^ {4}(\S{32})\r?$", letter.get_content(), re.MULTILINE)
    assert found, letter.get_content()
    return found[1]


async def ask_reset(server: RunningServer, email: str) -> Json:
    return await Caller(server).do("requestPasswordReset", {"email": email}, "email")


async def reset(server: RunningServer, token: str, **more: object) -> Json:
    given = {"token": token, "newPassword": NEW, **more}
    return await Caller(server).do("resetPassword", given, "token viewer { id emailVerifiedAt }")


async def test_a_forgotten_password_is_replaced_with_a_code_that_works_once(
    posting: RunningServer, box: Mailbox
) -> None:
    person = await newcomer(posting)
    await box.next()
    by_key = replace(person, token=person.api_key)
    assert (await ask_reset(posting, person.email.upper()))["__typename"].endswith("Payload")
    letter = await box.next()
    assert (letter["To"], letter["From"]) == (person.email, "Teamlore <teamlore@example.org>")
    assert "https://tea.example" in letter.get_content()
    assert set(box.logins) == {"\0teamlore\0p@ss"}
    short = await reset(posting, code_in(letter), newPassword="short")
    assert short["__typename"] == "InvalidInput"
    made = await reset(posting, code_in(letter))
    assert made["viewer"]["id"] == person.id
    assert made["viewer"]["emailVerifiedAt"] is None  # as it was when the password was replaced
    renewed = replace(person, token=made["token"])
    assert await person.code(ME) == "UNAUTHENTICATED"
    assert await renewed.code(ME) is await by_key.code(ME) is None
    assert (await renewed.ask(VERIFIED))["viewer"]["emailVerifiedAt"] is not None
    assert (await reset(posting, code_in(letter)))["__typename"] == "NotFound"
    for password, kind in (("long enough", "InvalidCredentials"), (NEW, "LogInPayload")):
        given = {"email": person.email, "password": password}
        assert (await Caller(posting).do("logIn", given, "token"))["__typename"] == kind
    audit = await renewed.ask(
        "{ viewer { audit(filter: {kinds: [PASSWORD_RESET]}) { nodes { detail } } } }"
    )
    assert audit["viewer"]["audit"]["nodes"] == [{"detail": {"by": "mail", "revokedKeys": 0}}]
    await ask_reset(posting, person.email)
    await reset(posting, code_in(await box.next()), revokeKeys=True)
    assert await by_key.code(ME) == await renewed.code(ME) == "UNAUTHENTICATED"


async def test_an_address_proves_to_be_ones_own(posting: RunningServer, box: Mailbox) -> None:
    person, other = await newcomer(posting), await newcomer(posting)
    letters = {letter["To"]: letter for letter in [await box.next(), await box.next()]}
    assert (await person.ask(VERIFIED))["viewer"]["emailVerifiedAt"] is None
    given = {"token": code_in(letters[person.email])}
    assert (await Caller(posting).do("verifyEmail", given, "verified"))["verified"] is True
    assert (await person.ask(VERIFIED))["viewer"]["emailVerifiedAt"] is not None
    assert (await other.ask(VERIFIED))["viewer"]["emailVerifiedAt"] is None
    assert (await Caller(posting).do("verifyEmail", given, "verified"))["__typename"] == "NotFound"
    wrong = await reset(posting, code_in(letters[other.email]))
    assert wrong["__typename"] == "NotFound"  # it was made for something else
    again = await other.do("requestEmailVerification", {}, "email")
    assert again["email"] == other.email
    newest = await box.next()
    given = {"token": code_in(letters[other.email])}
    stale = await Caller(posting).do("verifyEmail", given, "verified")
    assert stale["__typename"] == "NotFound"  # the newest one counts
    given = {"token": code_in(newest)}
    assert (await Caller(posting).do("verifyEmail", given, "verified"))["verified"] is True
    theirs = await other.do("requestEmailVerification", {"email": person.email}, "email")
    assert theirs["__typename"] == "InvalidInput"
    bash = await username_only(posting, "bash")
    assert (await bash.do("requestEmailVerification", {}, "email"))["__typename"] == "Conflict"


async def test_who_asks_learns_nothing_of_accounts(posting: RunningServer, box: Mailbox) -> None:
    person = await newcomer(posting)
    await box.next()
    seen = []
    for email in (person.email, "nobody@example.org"):
        with counted() as statements:
            answer = await ask_reset(posting, email)
            in_request = list(statements)
        seen.append(({**answer, "email": ""}, in_request))
    assert seen[0][0] == seen[1][0]
    assert seen[0][1] == seen[1][1]
    assert not any("FROM accounts" in statement for statement in seen[0][1])
    assert (await box.next())["To"] == person.email
    await asyncio.sleep(0.2)
    assert box.letters == []
    for email in (person.email, "nobody@example.org"):
        kinds = [(await ask_reset(posting, email))["__typename"] for _ in range(3)]
        assert kinds == [*["RequestPasswordResetPayload"] * 2, "RateLimited"]


async def test_a_code_expires(posting: RunningServer, box: Mailbox) -> None:
    person = await newcomer(posting)
    await box.next()
    await ask_reset(posting, person.email)
    token = code_in(await box.next())
    connection = await asyncpg.connect(posting.settings.database_url)
    await connection.execute("UPDATE mail_tokens SET expires_at = now()")
    digests = await connection.fetch("SELECT digest FROM mail_tokens")
    await connection.close()
    assert token.encode() not in [row["digest"] for row in digests]
    assert (await reset(posting, token))["__typename"] == "NotFound"
    for nonsense in ("x", "é" * 200):
        assert (await reset(posting, nonsense))["__typename"] == "NotFound"
    assert (await reset(posting, "x" * 201))["__typename"] == "InvalidInput"


async def test_a_mail_server_that_is_out_of_order_gets_it_again(
    serve: Serve, settings: Settings, box: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail.Outbox.__init__, "__defaults__", (0.01,))
    more = {"smtp_url": f"smtp://127.0.0.1:{box.port}", "mail_from": "teamlore@example.org"}
    server = await serve(settings.model_copy(update=more))
    box.out_of_order = 2
    person = await newcomer(server)
    assert (await box.next())["To"] == person.email
    box.out_of_order = mail.TRIES
    other = await newcomer(server)
    last = await newcomer(server)
    assert (await box.next())["To"] == last.email != other.email


async def test_without_a_mail_server_it_says_who_helps(server: RunningServer) -> None:
    person = await newcomer(server)
    for result in (
        await ask_reset(server, person.email),
        await person.do("requestEmailVerification", {}, "email"),
    ):
        assert result["__typename"] == "Forbidden"
        assert "sends no mail" in result["message"]
