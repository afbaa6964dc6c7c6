"""An instance whose turns, branches and large values are stored one by one does what one in one piece does."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import datetime
from random import Random
from typing import Any, Self

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from bpm.bpmn import CompiledProcess, Instance, Trigger, advance, load
from bpm.bpmn.division import StoredTurn, divide
from bpm.bpmn.effects import Effect, Ignored
from bpm.bpmn.elements.containers import loops
from bpm.bpmn.large import LargeKey, LargeValues
from bpm.bpmn.triggers import (
    Cancel,
    CompleteTask,
    CompleteUserTask,
    FailTask,
    MessageArrived,
    Retry,
    Start,
    TimerFired,
)
from bpm.exact_json import read_json
from bpm.process.large_rows import MOST_IN_STATE, LargeRows
from tests.bpm.bpmn.conformance.notation import Case
from tests.bpm.bpmn.conformance.test_conformance import CASES, play
from tests.bpm.bpmn.player import NOON, Player, check_books
from tests.bpm.bpmn.test_properties import BLOCKS, Block, write_process
from tests.bpm.bpmn.test_properties import answer as answer_at_random
from tests.commands.playing import bpmn

MANY = loops.MOST_TOGETHER + 4
MOST_TRIGGERS = 60
LARGE = "x" * (MOST_IN_STATE + 1)
MODELS = (
    "start s; user t many parallel over items as i into out of i; end e\ns -> t -> e",
    "start s; user t many sequential over items as i into out of i * 2; end e\ns -> t -> e",
    "start s; user t many parallel over items as i until nrOfCompletedInstances = 9; end e\ns -> t -> e",
    "start s; service t many parallel over items as i; boundary b on t: error; user c; end e\n"
    "s -> t -> e; b -> c -> e",
    "start s; user t many parallel over items as i; boundary b on t: timer PT1H; user c; end e\n"
    "s -> t -> e; b -> c -> e",
    "start s; user t; service c; user u; end e\ns -> t -> c -> u -> e",
    "start s; sub q many parallel over items as i {\nstart ps; and f; user A; user B; and j; end pe\n"
    "ps -> f -> A -> j -> pe; f -> B -> j\n}\nend e\ns -> q -> e",
    "start s; sub q many parallel over items as i {\nstart ps; or f; user A; user B; or j; end pe\n"
    "ps -> f\nf -> A if true\nf -> B if true\nA -> j -> pe; B -> j\n}\nend e\ns -> q -> e",
    "start s; sub q many parallel over items as i {\nstart ps; "
    "user A many parallel over items as k into o of k; end pe\nps -> A -> pe\n}\nend e\ns -> q -> e",
    "start s; sub q many parallel over items as i {\nstart ps; script c: mine = big; user A; "
    "script d: i = big; user B; end pe\nps -> c -> A -> d -> B -> pe\n}\nend e\ns -> q -> e",
    "start s; sub q many parallel over items as i {\n"
    "start ps; user A; boundary b on A: condition go = true; end pe\nps -> A -> pe; b -> pe\n}\nend e\ns -> q -> e",
)  # fmt: skip


def forked(*branch: str, extra: str = "", start: str = "s") -> str:
    """A process that forks into many branches, each of the elements given, which wait for one another at last."""
    numbers = [str(number) for number in range(MANY)]
    lines = [line.replace("#", number) for number in numbers for line in branch]
    ways = [f"f -> x{number} -> j" for number in numbers]
    return "\n".join([f"start {start}; and f; and j; end e", *lines, f"{start} -> f; j -> e", *ways, extra])


FORKS = (
    forked("user x#"),
    forked("user x#; boundary b# on x#: timer PT1H; end e#; b# -> e#"),
    forked("service x#; boundary b# on x#: error; end e#: terminate; b# -> e#"),
    forked(
        "sub x# {\nstart s#; and f#; user A#; user B#; and j#; end e#; s# -> f# -> A# -> j# -> e#; f# -> B# -> j#\n}"
    ),
    forked("sub x# {\nstart s#; user A# many parallel over items as i; end e#; s# -> A# -> e#\n}"),
    forked("user x#", extra="esp h {\nstart hs: message M; user hu; end he; hs -> hu -> he\n}"),
    forked("user x#; boundary b# on x#: condition go = true; end e#; b# -> e#"),
    "start s; sub q {\n" + forked("user x#", start="qs") + "\n}\n"
    "boundary b on q: timer PT1H; user c; end z; s -> q -> z; b -> c -> z",
    "start s; sub q many parallel over items as i {\n" + forked("user x#", start="qs") + "\n}\nend z; s -> q -> z",
    "start s; user t; end e\ns -> t -> e\n"
    "esp h {\nstart~ hs: message M; user hu; user hv; end he; hs -> hu -> hv -> he\n}",
)


class Store:
    """Keeps the parts of one instance between triggers, as a database would; the part loader of the engine."""

    def __init__(self, process: CompiledProcess) -> None:
        self.process = process
        self.text = Instance().to_json()
        self.stored: dict[int, StoredTurn] = {}
        self.values: dict[tuple[str, int, int], bytes] = {}
        self.read: set[int] = set()
        self.apart: dict[LargeKey, str] = {}

    def open(self, wait_id: int | None = None) -> Instance:
        """The instance with the turn of a wait, and the turns around that."""
        self.read = set()
        instance = Instance.from_json(self.text, self)
        scope = next((key for key, turn in self.stored.items() if wait_id in turn.waits), 0)
        path: list[int] = []
        while scope:
            path.append(scope)
            scope = self.stored[scope].around
        for key in reversed(path):
            instance.absorb(self._take(key))
        return instance

    def _take(self, scope: int) -> dict[str, Any]:
        self.read.add(scope)
        return read_json(self.stored[scope].text)

    def turns(self, body: int | None) -> list[Mapping[str, Any]]:
        inside = [key for key, turn in self.stored.items() if body in (None, turn.body)]
        around = inside if body is not None else ()
        inside += [key for each in around for key, turn in self.stored.items() if turn.around == each]
        return [self._take(key) for key in sorted(set(inside)) if key not in self.read]

    def item(self, body: int, index: int) -> Any:
        return from_json(self.values["items", body, index])

    def outputs(self, body: int) -> dict[int, Any]:
        found = {key: value for key, value in self.values.items() if key[:2] == ("outputs", body)}
        return {key[2]: from_json(value) for key, value in found.items()}

    def large(self, key: LargeKey) -> Any:
        return from_json(self.apart[key])

    def write(self, instance: Instance) -> None:
        """Store what has changed."""
        nowhere: Any = None
        rows = LargeRows(nowhere, 0)
        division = divide(self.process, rows.set_apart(instance))
        self.apart |= rows.take_new()
        self.text = division.instance.to_json()
        self.stored = {key: turn for key, turn in self.stored.items() if key not in self.read} | dict(division.turns)
        self.values |= {key: to_json(value) for key, value in division.kept.items()}

    def follow(self, trigger: Trigger, now: datetime, one: Instance, effects: tuple[Effect, ...]) -> None:
        """Do what was done to an instance in one piece, and check that it came to the same."""
        apart, found = advance(self.process, self.open(getattr(trigger, "wait_id", None)), trigger, now)
        assert found == effects
        self.write(apart)
        whole = self.whole()
        assert (whole.status, whole.absent.tokens, whole.absent.waits) == (one.status, 0, {})
        for name in ("scopes", "active", "variables", "tokens", "waits", "done", "locals", "beside", "unattended"):
            assert getattr(whole, name) == getattr(one, name), name
        check_books(whole)

    def whole(self) -> Instance:
        """The instance with everything."""
        instance = Instance.from_json(self.text, self)
        for key in sorted(self.stored):
            instance.absorb(read_json(self.stored[key].text))
        instance.variables = {scope: dict(LargeValues(values)) for scope, values in instance.variables.items()}
        return instance


def played(process: CompiledProcess, decide: Callable[[Instance], Trigger]) -> None:
    """Play an instance in one piece and one taken apart with the same triggers; check that they agree."""
    one, store = Instance(), Store(process)
    trigger = Start({"items": list(range(MANY)), "go": False, "big": LARGE})
    for number in range(MOST_TRIGGERS + 1):
        one, effects = advance(process, one, trigger, NOON)
        assert not effects or not isinstance(effects[0], Ignored)
        store.follow(trigger, NOON, one, effects)
        if one.status.is_final:
            return
        trigger = Cancel("enough") if number == MOST_TRIGGERS - 1 else decide(one)
    raise AssertionError("it does not end")


def answer(instance: Instance, wait_id: int) -> Trigger:
    """What answers a wait."""
    wait = instance.waits[wait_id]
    if wait.kind == "user":
        return CompleteUserTask(wait_id, {})
    if wait.kind == "command":
        return CompleteTask(wait_id, wait.attempt, {})
    if wait.kind == "incident":
        return Retry(wait_id, {})
    return TimerFired(wait_id) if wait.kind == "timer" else MessageArrived(wait_id, {})


@pytest.mark.parametrize("text", [*MODELS, *FORKS])
@settings(deadline=None, max_examples=8)
@given(data=st.data())
def test_taken_apart_it_does_the_same(text: str, data: st.DataObject) -> None:
    """Answers in any order, errors, timers, writes that let conditions hold, and the end by somebody."""
    process = load(bpmn(text))

    def decide(instance: Instance) -> Trigger:
        waits = [wait for wait in instance.waits.values() if wait.kind != "condition"]
        kind = data.draw(st.integers(0, 40))
        if kind == 0:
            return Cancel("enough")
        wait = waits[data.draw(st.integers(0, len(waits) - 1))]
        if kind == 1 and wait.kind == "command":
            return FailTask(wait.id, wait.attempt, "it broke", "code")
        if kind == 2 and wait.kind == "user":
            return CompleteUserTask(wait.id, {"go": True})
        if kind in (3, 4) and wait.kind == "user":
            return CompleteUserTask(wait.id, {"big": ["y" * MOST_IN_STATE] if kind == 3 else "small"})
        return answer(instance, wait.id)

    played(process, decide)


@contextmanager
def few_together() -> Generator[None]:
    """Store each of two turns or branches by itself."""
    before = loops.MOST_TOGETHER
    loops.MOST_TOGETHER = 1
    try:
        yield
    finally:
        loops.MOST_TOGETHER = before


class DividedPlayer(Player):
    """Plays an instance in one piece and one that is stored in parts."""

    def __init__(self, body: str, head: str) -> None:
        super().__init__(body, head)
        self.store = Store(self.process)

    def send(self, trigger: Trigger) -> Self:
        super().send(trigger)
        self.store.process = self.process  # of another version after a migration
        self.store.follow(trigger, self.now, self.instance, self.effects)
        return self


@settings(deadline=None, max_examples=150)
@given(block=BLOCKS, seed=st.integers(0, 2**32), steps=st.integers(0, 200))
def test_whatever_the_process_it_does_the_same_in_parts(block: Block, seed: int, steps: int) -> None:
    """Generated processes, answered at random, and cancelled at last if they have not ended."""
    random = Random(seed)  # noqa: S311 - a repeatable player, not a secret
    with few_together():
        player = DividedPlayer(write_process(block), '<message id="m" name="M"/>').start(n=random.randrange(3))
        for _ in range(steps):
            if not player.status.is_final:
                answer_at_random(player, random)
        if not player.status.is_final:
            player.cancel()


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_what_the_standard_says_holds_in_parts(case: Case) -> None:
    """The conformance cases, played once more."""
    first, *others = case.versions
    with few_together():
        player = DividedPlayer(first.body, first.head)
        for version in case.versions:
            lines = [line for line in version.play if not line.startswith("lacks ")]
            if version in others:
                player.migrate(version.body, version.head)
            for line in lines:
                play(player, line)


def test_only_the_branch_that_is_answered_is_at_hand() -> None:
    """Of a branch that has ended its token alone remains, at the join."""
    process, store = load(bpmn(FORKS[0])), Store(load(bpmn(FORKS[0])))
    first, _ = advance(process, store.open(), Start(), NOON)
    store.write(first)
    assert (len(store.stored), Instance.from_json(store.text).tokens) == (MANY, {})
    for number, wait in enumerate(list(store.whole().waits)[:3]):
        opened = store.open(wait)
        assert (len(opened.tokens), len(opened.waits)) == (number + 1, 1)
        store.write(advance(process, opened, CompleteUserTask(wait), NOON)[0])
        assert {token.element for token in Instance.from_json(store.text).tokens.values()} == {"j"}


def test_only_the_turn_that_is_answered_is_at_hand() -> None:
    """What remains of the instance does not grow with the number of its turns."""
    process, sizes = load(bpmn(MODELS[0])), []
    for number in (100, 400):
        store = Store(process)
        first, _ = advance(process, store.open(), Start({"items": [1] * number}), NOON)
        store.write(first)
        sizes.append(len(store.text) - 2 * number)
        wait = next(iter(store.whole().waits))
        opened = store.open(wait)
        assert (len(opened.tokens), len(opened.waits)) == (2, 1)
        after, _ = advance(process, opened, CompleteUserTask(wait), NOON)
        assert len(after.tokens) == 1
    assert sizes[1] < sizes[0] + 40
