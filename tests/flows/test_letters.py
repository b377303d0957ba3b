"""Letters are sent by jobs, once each, through a real SMTP server."""

from collections.abc import AsyncGenerator
from contextlib import AsyncExitStack
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from comptoir.domains.notifications.model import Email
from comptoir.domains.notifications.post import FilePost, NoPost, SmtpPost, parse
from comptoir.flows import letters
from comptoir.flows.letters import Mailroom
from comptoir.guards.once import Once
from comptoir.jobs.model import Handler, Seen, Status
from comptoir.kit.errors import ComptoirError, Unavailable
from tests.support.letters import Mailbox, mailbox
from tests.support.postgres import Database
from tests.support.working import Bench, open_bench

pytestmark = pytest.mark.pg
CUSTOMER = """
INSERT INTO comptoir.customers (book_id, customer, email, locale) VALUES (1, %s, %s, %s)"""


@pytest.fixture
async def bench(database: Database) -> AsyncGenerator[Bench]:
    async with open_bench(database) as found:
        yield found


@pytest.fixture
async def box() -> AsyncGenerator[Mailbox]:
    async with mailbox() as found:
        yield found


@pytest.fixture
async def room(bench: Bench, box: Mailbox) -> AsyncGenerator[Mailroom]:
    async with AsyncExitStack() as stack:
        calls = await stack.enter_async_context(Once(bench.pool, 1, uuid4))

        async def once(_: int) -> Once:
            return calls

        post = SmtpPost(parse(box.url), seconds=5)
        yield Mailroom(bench.pool, post, "Shop <shop@b.test>", "en", once, lambda: 0)


def email(**said: Any) -> Email:  # noqa: ANN401
    usual: dict[str, Any] = {"to": "a@b.test", "subject": "Hello", "text": "Hello."}
    return Email(**usual | said)


async def sent(
    bench: Bench, room: Mailroom, *payloads: dict[str, Any], tries: int = 3
) -> list[Seen]:
    """What became of jobs with these payloads, one after the other."""
    done: list[Seen] = []
    handler = Handler(
        "email.send", lambda job: letters.send(room, job), tries, first_pause=0, longest_pause=0
    )
    async with bench.working(handler):
        for payload in payloads:
            id_ = await bench.enqueue("email.send", payload=payload)
            done.append(await bench.ended_one(id_))
    return done


async def test_a_letter_arrives(bench: Bench, room: Mailroom, box: Mailbox):
    [seen] = await sent(bench, room, email().payload())
    assert seen.status is Status.SUCCEEDED, seen
    [letter] = box.letters
    assert box.readers == ["a@b.test"]
    assert (letter["From"], letter["To"]) == ("Shop <shop@b.test>", "a@b.test")
    assert letter["Subject"] == "Hello"
    assert seen.result == {"message_id": letter["Message-ID"].strip("<>"), "duplicate": False}


async def test_the_same_key_is_one_letter(bench: Bench, room: Mailroom, box: Mailbox):
    payload = email(key="receipt-1").payload()
    first, again = await sent(bench, room, payload, payload)
    assert len(box.letters) == 1
    assert first.result is not None
    assert again.result == {**first.result, "duplicate": True}


async def test_the_same_key_for_another_letter_is_refused(
    bench: Bench, room: Mailroom, box: Mailbox
):
    _, other = await sent(
        bench, room, email(key="k").payload(), email(key="k", text="Other.").payload()
    )
    assert (other.status, other.error) == (Status.DEAD, "idempotency-key-reused")
    assert len(box.letters) == 1


async def test_a_customer_is_written_to_in_his_language(bench: Bench, room: Mailroom, box: Mailbox):
    async with bench.pool.connection() as connection:
        await connection.execute(CUSTOMER, ("alice", "alice@b.test", "fr"))
        await connection.execute(CUSTOMER, ("bob", None, "en"))
    values = {"plan": "pro"}
    said = {"template": "subscription-confirmed", "values": values}
    done = await sent(
        bench, room, *({"customer": who} | said for who in ("alice", "bob", "nobody"))
    )
    assert [each.result for each in done[1:]] == [{"skipped": "no-address"}] * 2
    [letter] = box.letters
    assert (letter["To"], letter["Subject"]) == ("alice@b.test", "Abonnement pro confirmé")


async def test_a_server_that_is_busy_is_asked_again(bench: Bench, room: Mailroom, box: Mailbox):
    box.refusals = ["451 later", "421 later"]
    [seen] = await sent(bench, room, email().payload())
    assert (seen.status, seen.attempts) == (Status.SUCCEEDED, 3)
    assert len(box.letters) == 1


async def test_a_server_that_will_not_have_it_is_not_asked_again(
    bench: Bench, room: Mailroom, box: Mailbox
):
    box.refusals = ["550 no such person"]
    [seen] = await sent(bench, room, email().payload())
    assert (seen.status, seen.error) == (Status.DEAD, "email-refused")
    assert seen.payload["to"] == "a@b.test", "it is kept, and may be tried again"


async def test_nobody_at_the_server(bench: Bench, room: Mailroom):
    away = replace(room, post=SmtpPost(parse("smtp://127.0.0.1:1"), seconds=1))
    [seen] = await sent(bench, away, email().payload(), tries=2)
    assert (seen.status, seen.error) == (Status.DEAD, "email-not-sent")


async def test_a_letter_that_was_lost_sight_of_is_posted_again_under_its_name(
    bench: Bench, room: Mailroom, box: Mailbox
):
    class Forgetful:
        """Hands the letter over, and does not live to say so the first time."""

        times = 0

        async def send(self, message: EmailMessage, sender: str, to: str) -> None:
            await room.post.send(message, sender, to)
            self.times += 1
            if self.times == 1:
                raise Unavailable("email-not-sent")

    await sent(bench, replace(room, post=Forgetful()), email().payload())
    first, again = box.letters
    assert first["Message-ID"] == again["Message-ID"]


async def test_what_is_no_letter_is_dead_at_once(bench: Bench, room: Mailroom, box: Mailbox):
    [seen] = await sent(bench, room, {"to": "a@b.test"})
    assert (seen.status, seen.attempts, seen.error) == (Status.DEAD, 1, "field-invalid")
    assert not box.letters


async def test_nothing_configured(bench: Bench, room: Mailroom):
    [seen] = await sent(bench, replace(room, post=NoPost()), email().payload(), tries=1)
    assert (seen.status, seen.error) == (Status.DEAD, "email-not-configured")


async def test_letters_of_whoever_develops_are_files(bench: Bench, room: Mailroom, tmp_path: Path):
    told: list[Path] = []
    post = FilePost(tmp_path / "mail", told.append)
    await sent(bench, replace(room, post=post), email().payload())
    [file] = told
    assert file.parent == tmp_path / "mail"
    assert "Subject: Hello" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode & 0o077 == 0


async def test_the_server_is_told_the_password():
    async with mailbox(asks_for_password=True) as box:
        url = box.url.replace("//", "//shop:secret@")
        message = EmailMessage()
        message["From"] = message["To"] = "a@b.test"
        await SmtpPost(parse(url), seconds=5).send(message, "a@b.test", "a@b.test")
    assert box.logins == [(b"shop", b"secret")]


@pytest.mark.parametrize("said", ["Shop", "", "a@b.test\nBcc: c@d.test"])
def test_letters_come_from_somebody(said: str):
    with pytest.raises(ComptoirError, match="email-from-invalid"):
        letters.sender_of(said)
