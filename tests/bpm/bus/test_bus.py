"""The bus: handlers, transactions, permissions, idempotency, audit, messages for later."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import ClassVar

import pytest
import structlog
from sqlmodel import Field, col, select

from bpm.bus import Bus, Command, Context, EffectContext, Envelope, Integer, Query, Registry, View, handles
from bpm.bus.log_ids import add_ids
from bpm.bus.own_events import publish_settled, publisher_of
from bpm.bus.tables import AuditEntry, IdempotencyKey
from bpm.errors import BpmError, Conflict, Defect, Failed, Forbidden
from bpm.jobs import JobQueue
from bpm.jobs.factory import open_jobs
from bpm.security.permissions import SYSTEM, Principal
from bpm.security.secrets import SecretBox
from bpm.settings import Settings
from bpm.store import Database, OrganizationRow, Transaction
from bpm.testing import Clock, until

pytestmark = pytest.mark.anyio

NOBODY = Principal("user", "user:9", "nobody", 1)


class BusSample(OrganizationRow, table=True):
    """A word that was said."""

    id: int | None = Field(default=None, primary_key=True)
    word: str


class SaidView(View):
    """A word and its number."""

    id: int
    word: str


class SayCommand(Command[SaidView]):
    """Say a word, once in every transaction."""

    permission: ClassVar[str | None] = "words:write"
    secrets: ClassVar[frozenset[str]] = frozenset({"whisper"})

    word: str
    whisper: str | None = None
    times: Integer = 1


@handles
def say(command: SayCommand, context: Context) -> SaidView:
    """Store the word; some words can't be said."""
    row = BusSample(word=command.word)
    context.session.add(row)
    context.session.flush()
    if command.word == "taboo":
        raise Conflict("That word is taken")
    if command.word == "bug":
        raise RuntimeError("a mistake of ours")
    return SaidView(id=row.id or 0, word=row.word)


class SayTwiceCommand(Command[list[SaidView]]):
    """Say two words in one transaction."""

    permission: ClassVar[str | None] = "words:write"

    words: list[str]


@handles
def say_twice(command: SayTwiceCommand, context: Context) -> list[SaidView]:
    """Send one command for each word."""
    return [context.send(SayCommand(word=word)) for word in command.words]


class TryCommand(Command[bool]):
    """Say a word if it can be said."""

    permission: ClassVar[str | None] = "words:write"

    word: str


@handles
def try_it(command: TryCommand, context: Context) -> bool:
    """Go on without the word when it can't."""
    try:
        context.send(SayCommand(word=command.word))
    except BpmError:
        return False
    return True


class ShoutCommand(Command[SaidView]):
    """An effect that ends in a transaction."""

    permission: ClassVar[str | None] = "words:write"

    word: str


@handles
async def shout(command: ShoutCommand, context: EffectContext) -> SaidView:
    """Do something outside, then say it."""
    await asyncio.sleep(0)
    return await context.conclude(lambda inner: inner.send(SayCommand(word=command.word.upper())))


class LoopCommand(Command[None]):
    """A command that causes itself."""

    permission: ClassVar[str | None] = None


@handles
def loop(command: LoopCommand, context: Context) -> None:
    """Send the same again."""
    context.send(LoopCommand())


class EffectInsideCommand(Command[None]):
    """A transactional handler that asks for an effect."""

    permission: ClassVar[str | None] = None


@handles
def effect_inside(command: EffectInsideCommand, context: Context) -> None:
    """Try what can't be."""
    context.send(ShoutCommand(word="no"))


class LaterCommand(Command[None]):
    """Say something later."""

    permission: ClassVar[str | None] = "words:write"

    word: str
    seconds: float = 0.0
    key: str | None = None


@handles
def later(command: LaterCommand, context: Context) -> None:
    """Ask for a message to be sent later."""
    delay = timedelta(seconds=command.seconds)
    context.later("SayCommand", {"word": command.word}, delay=delay, key=command.key)


class GetWordsQuery(Query[list[str]]):
    """Every word of the organisation."""

    permission: ClassVar[str | None] = "words:read"


@handles
def get_words(query: GetWordsQuery, context: Context) -> list[str]:
    """Read them in order."""
    return [row.word for row in context.session.exec(select(BusSample).order_by(col(BusSample.id))).all()]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def jobs(database: Database, settings: Settings, clock: Clock) -> JobQueue:
    return open_jobs(database, settings, clock)


@pytest.fixture
async def bus(database: Database, jobs: JobQueue, clock: Clock) -> AsyncIterator[Bus]:
    registry = Registry()
    for handler in (say, say_twice, try_it, shout, loop, effect_inside, later, get_words):
        registry.add(handler)
    registry.bind()
    bus = Bus(registry, database, jobs, SecretBox(b"k" * 32), clock)
    await jobs.start(bus.scheduled)
    yield bus
    await jobs.drain(1)


async def audit(database: Database) -> list[AuditEntry]:
    def entries(tx: Transaction) -> list[AuditEntry]:
        return list(tx.session(None).exec(select(AuditEntry).order_by(col(AuditEntry.id))).all())

    return await database.read(entries)


async def test_a_command_returns_its_typed_result(bus: Bus) -> None:
    """What the handler returns arrives at the sender, as the type that the message names."""
    said: SaidView = await bus.send(SayCommand(word="hello"))
    assert said == SaidView(id=1, word="hello")
    assert await bus.send(GetWordsQuery()) == ["hello"]


async def test_a_refusal_undoes_the_effect(bus: Bus) -> None:
    """A handler that raises leaves nothing behind but a line in the audit log."""
    with pytest.raises(Conflict, match="That word is taken"):
        await bus.send(SayCommand(word="taboo"))
    assert await bus.send(GetWordsQuery()) == []
    assert [(e.type, e.ok, e.error) for e in await audit(bus.database)] == [("SayCommand", False, "That word is taken")]


async def test_our_own_mistake_is_an_outcome_too(bus: Bus) -> None:
    """A handler's bug ends as a fixed sentence, its effect undone, the writer alive; the log says of which message."""
    envelope = Envelope(SayCommand(word="bug"), SYSTEM, correlation_id="the-cause")
    with structlog.testing.capture_logs(processors=[add_ids]) as lines:
        outcome = await bus.execute(envelope)
    assert isinstance(outcome.error, Defect)
    (line,) = (line for line in lines if line["event"] == "handler failed")
    assert (line["request_id"], line["correlation_id"]) == (envelope.request_id, "the-cause")
    assert "mistake" not in str(outcome.error)
    assert (await bus.send(SayCommand(word="next"))).word == "next"


async def test_nested_commands_commit_or_fail_as_one(bus: Bus) -> None:
    """A failing inner command undoes what the outer one did before."""
    with pytest.raises(Conflict):
        await bus.send(SayTwiceCommand(words=["one", "taboo"]))
    assert await bus.send(GetWordsQuery()) == []
    assert [s.word for s in await bus.send(SayTwiceCommand(words=["one", "two"]))] == ["one", "two"]


@pytest.mark.parametrize("word", ["taboo", "bug"])
async def test_a_failed_inner_command_is_undone_alone(bus: Bus, word: str) -> None:
    """Whoever catches an inner command's error, a bug's too, goes on without it; the audit log tells of both."""
    assert await bus.send(TryCommand(word=word)) is False
    assert await bus.send(GetWordsQuery()) == []
    assert [(line.type, line.ok) for line in await audit(bus.database)] == [("SayCommand", False), ("TryCommand", True)]


async def test_an_effect_concludes_in_a_transaction(bus: Bus) -> None:
    """An effect's last act is committed with its audit line."""
    assert (await bus.send(ShoutCommand(word="hey"))).word == "HEY"
    lines = await audit(bus.database)
    assert [line.type for line in lines] == ["SayCommand", "ShoutCommand"]
    assert lines[0].correlation_id == lines[1].correlation_id
    assert lines[0].causation_id == lines[1].request_id


async def test_an_effect_inside_a_transaction_is_refused(bus: Bus) -> None:
    """No transaction waits for the outside."""
    with pytest.raises(Failed, match="no transaction may wait"):
        await bus.send(EffectInsideCommand())


async def test_messages_that_cause_themselves_end(bus: Bus) -> None:
    """A chain of messages without end is cut off with a sentence."""
    with pytest.raises(Failed, match="caused one another"):
        await bus.send(LoopCommand())


async def test_without_the_permission_nothing_happens(bus: Bus) -> None:
    """A sender without the message's permission is refused before the handler, nested messages too."""
    with pytest.raises(Forbidden, match="words:write"):
        await bus.send(SayCommand(word="a"), NOBODY)
    with pytest.raises(Forbidden, match="words:read"):
        await bus.send(GetWordsQuery(), NOBODY)
    assert await bus.send(GetWordsQuery()) == []


async def test_the_same_key_gets_the_first_answer(bus: Bus) -> None:
    """A repeated request is answered as the first was, and executed once."""
    envelope = Envelope(SayCommand(word="once"), SYSTEM, idempotency_key="k1", fingerprint="f1")
    first, second = await bus.execute(envelope), await bus.execute(envelope)
    assert (first.replayed, second.replayed) == (False, True)
    assert first.data == second.data
    assert first.json == second.json
    assert await bus.send(GetWordsQuery()) == ["once"]


async def test_a_kept_answer_is_sealed(bus: Bus) -> None:
    """What is shown only once can't be read in the database afterwards."""
    await bus.execute(Envelope(SayCommand(word="canary-in-answer"), SYSTEM, idempotency_key="k", fingerprint="f"))
    key = await bus.database.read(lambda tx: tx.session(None).exec(select(IdempotencyKey)).one())
    assert key.answer is not None
    assert "canary" not in key.answer


async def test_the_same_key_with_another_body_is_a_conflict(bus: Bus) -> None:
    """A key stands for one body only."""
    await bus.execute(Envelope(SayCommand(word="a"), SYSTEM, idempotency_key="k", fingerprint="f1"))
    outcome = await bus.execute(Envelope(SayCommand(word="b"), SYSTEM, idempotency_key="k", fingerprint="f2"))
    assert isinstance(outcome.error, Conflict)


async def test_a_refusal_is_repeated_too(bus: Bus) -> None:
    """The same key gets the same refusal, of the same kind."""
    envelope = Envelope(SayCommand(word="taboo"), SYSTEM, idempotency_key="k", fingerprint="f")
    await bus.execute(envelope)
    outcome = await bus.execute(envelope)
    assert outcome.replayed
    assert isinstance(outcome.error, Conflict)
    assert outcome.error.errors == ("That word is taken",)


async def test_a_bug_can_be_tried_again_with_the_same_key(bus: Bus) -> None:
    """Our own mistakes are not remembered as answers."""
    envelope = Envelope(SayCommand(word="bug"), SYSTEM, idempotency_key="k", fingerprint="f")
    await bus.execute(envelope)
    assert not (await bus.execute(envelope)).replayed


async def test_a_key_is_forgotten_after_a_day(bus: Bus, clock: Clock) -> None:
    """After 24 hours the key may stand for something new."""
    envelope = Envelope(SayCommand(word="a"), SYSTEM, idempotency_key="k", fingerprint="f1")
    await bus.execute(envelope)
    clock.advance(timedelta(hours=24, seconds=1))
    assert not (await bus.execute(envelope)).replayed


async def test_keys_belong_to_their_caller(bus: Bus) -> None:
    """Two callers may use the same key."""
    other = Principal("user", "user:2", "other", 1, SYSTEM.permissions)
    await bus.execute(Envelope(SayCommand(word="a"), SYSTEM, idempotency_key="k", fingerprint="f"))
    outcome = await bus.execute(Envelope(SayCommand(word="a"), other, idempotency_key="k", fingerprint="f"))
    assert not outcome.replayed


async def test_concurrent_requests_with_one_key_execute_once(bus: Bus) -> None:
    """Twenty requests at once with one key leave one effect."""
    envelope = Envelope(SayCommand(word="once"), SYSTEM, idempotency_key="k", fingerprint="f")
    outcomes = await asyncio.gather(*(bus.execute(envelope) for _ in range(20)))
    assert sum(not o.replayed for o in outcomes) == 1
    assert await bus.send(GetWordsQuery()) == ["once"]


async def test_secrets_do_not_reach_the_audit_log(bus: Bus) -> None:
    """A field that the message calls a secret is redacted where it is written down."""
    await bus.send(SayCommand(word="loud", whisper="quiet-canary"))
    (line,) = await audit(bus.database)
    assert line.fields == {"word": "loud", "whisper": "***"}


async def test_another_organisations_rows_are_not_there(bus: Bus) -> None:
    """A principal of organisation 2 sees only what was said there."""
    other = Principal("user", "user:2", "other", 2, SYSTEM.permissions)
    await bus.send(SayCommand(word="one"))
    await bus.send(SayCommand(word="two"), other)
    assert await bus.send(GetWordsQuery(), other) == ["two"]


async def test_a_message_for_later_is_sent_once(bus: Bus) -> None:
    """A scheduled message is executed after its transaction committed, with its sender's permissions."""
    await bus.send(LaterCommand(word="soon"))
    await until(lambda: bus.send(GetWordsQuery()), lambda words: words == ["soon"])


async def test_only_one_message_waits_under_a_key(bus: Bus) -> None:
    """A second message with the same key is not taken while the first waits."""
    for _ in range(2):
        await bus.send(LaterCommand(word="keyed", seconds=0.2, key="k"))
    await until(lambda: bus.send(GetWordsQuery()), lambda words: words == ["keyed"])
    await asyncio.sleep(0.3)
    assert await bus.send(GetWordsQuery()) == ["keyed"]


async def test_a_message_for_later_survives_a_restart(
    database: Database, settings: Settings, bus: Bus, jobs: JobQueue, clock: Clock
) -> None:
    """What was scheduled in one process is sent by the next."""
    await bus.send(LaterCommand(word="soon", seconds=0.5))
    await jobs.drain(1)
    jobs_after = open_jobs(database, settings, clock)
    bus_after = Bus(bus.registry, database, jobs_after, SecretBox(b"k" * 32), clock)
    await jobs_after.start(bus_after.scheduled)
    await until(lambda: bus_after.send(GetWordsQuery()), lambda words: words == ["soon"])
    await jobs_after.drain(1)


async def test_what_is_settled_stays_when_its_event_cannot_be_published(bus: Bus, database: Database) -> None:
    """The event of a part of the product is logged as not published, and the transaction around it goes on."""
    publisher = publisher_of("router", "router", 1)

    def settle(tx: Transaction) -> None:
        bus.perform(tx, Envelope(SayCommand(word="settled"), SYSTEM))
        publish_settled(bus, tx, publisher, "webhook.request.dead", {"requestId": "r"}, "r")

    with structlog.testing.capture_logs() as lines:
        await database.write(settle)
    assert [line["event_name"] for line in lines if line["event"] == "an event was not published"] == [
        "webhook.request.dead"
    ]
    assert "settled" in await bus.send(GetWordsQuery())
