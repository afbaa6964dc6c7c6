"""What holds for every process: generated ones, played at random, and joins against a brute-force token game."""

from collections import Counter
from itertools import pairwise
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from bpm.bpmn import InvalidDefinition, Status, load
from bpm.bpmn.effects import (
    Incident,
    OpenAdHoc,
    OpenConditionWait,
    OpenMessageWait,
    OpenTimer,
    OpenUserTask,
    RunScript,
    SendCommand,
)
from bpm.bpmn.triggers import (
    ActivateActivities,
    CompleteTask,
    CompleteUserTask,
    FailTask,
    MessageArrived,
    Retry,
    Skip,
    TimerFired,
)
from tests.bpm.bpmn.player import Player, flow, flows, model

LEAVES = ("task", "script", "service", "computed", "listened", "user", "receive", "timer", "any", "all")
COMPUTED = (
    '<extensionElements><camunda:inputOutput><camunda:inputParameter name="a"><camunda:script scriptFormat="python">1'
    '</camunda:script></camunda:inputParameter><camunda:outputParameter name="b"><camunda:script scriptFormat="python">'
    "2</camunda:script></camunda:outputParameter></camunda:inputOutput></extensionElements>"
)
"""Mappings with scripts."""
LISTENER = '<camunda:{0}Listener event="{1}"><camunda:script>1</camunda:script></camunda:{0}Listener>'
LISTENERS = "".join(
    LISTENER.format(kind, event)
    for kind, event in (("execution", "start"), ("task", "create"), ("task", "complete"), ("execution", "end"))
)
LISTENED = f"<extensionElements>{LISTENERS}</extensionElements>"
"""Listeners with scripts."""
SEVERAL = (
    '<messageEventDefinition messageRef="m"/><timerEventDefinition><timeDuration>PT1M</timeDuration>'
    "</timerEventDefinition>"
)
"""Two event definitions."""
CONDITION = "<conditionalEventDefinition><condition>={0}</condition></conditionalEventDefinition>"
BLOCKS = st.recursive(
    st.sampled_from(LEAVES).map(lambda kind: (kind,)),
    lambda inner: st.one_of(
        st.tuples(st.just("sequence"), st.lists(inner, min_size=1, max_size=3)),
        st.tuples(st.just("choice"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("parallel"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("loop"), inner),
        st.tuples(st.just("sub"), inner, st.sampled_from(["", "timer", "reminder", "error"])),
        st.tuples(st.just("inclusive"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("complex"), st.lists(inner, min_size=2, max_size=3), st.integers(1, 2)),
        st.tuples(
            st.just("chosen"), st.lists(inner, min_size=1, max_size=2), st.sampled_from(["Parallel", "Sequential"])
        ),
        st.tuples(st.just("race"), st.lists(inner, min_size=2, max_size=3)),
        st.tuples(st.just("many"), inner, st.sampled_from(["true", "false"])),
        st.tuples(st.just("guarded"), inner, st.sampled_from(["true", "false"])),
        st.tuples(st.just("watched"), inner, st.sampled_from(["true", "false"])),
        st.tuples(st.just("undone"), inner),
    ),
    max_leaves=10,
)


Block = tuple[Any, ...]
"""The name of its shape, and what that is made of: other blocks, or words."""
Ends = tuple[str, str]
Edge = tuple[int, int]
Graph = tuple[list[str], list[Edge]]


class Writer:
    """Writes a block as BPMN; `write` gives the ids of its first and last element."""

    def __init__(self) -> None:
        self.count = 0
        self.xml: list[str] = []

    def id(self, prefix: str) -> str:
        self.count += 1
        return f"{prefix}{self.count}"

    def add(self, *parts: str) -> None:
        self.xml += parts

    def write(self, block: Block) -> Ends:
        return getattr(self, block[0], self.leaf)(*block)

    def leaf(self, kind: str) -> Ends:
        name = self.id(kind)
        self.add({
            "task": f'<task id="{name}"/>',
            "script": f'<scriptTask id="{name}"><script>x</script></scriptTask>',
            "service": f'<serviceTask id="{name}" camunda:topic="X"/>',
            "computed": f'<serviceTask id="{name}" camunda:topic="X">{COMPUTED}</serviceTask>',
            "listened": f'<userTask id="{name}">{LISTENED}</userTask>',
            "user": f'<userTask id="{name}"/>',
            "receive": f'<receiveTask id="{name}"><extensionElements><bpm:message name="{name}"/></extensionElements>'
            "</receiveTask>",
            "any": f'<intermediateCatchEvent id="{name}">{SEVERAL}</intermediateCatchEvent>',
            "all": f'<intermediateCatchEvent id="{name}" parallelMultiple="true">{SEVERAL}</intermediateCatchEvent>',
            "timer": f'<intermediateCatchEvent id="{name}"><timerEventDefinition><timeDuration>PT1M</timeDuration>'
            "</timerEventDefinition></intermediateCatchEvent>",
        }[kind])  # fmt: skip
        return name, name

    def sequence(self, _: str, blocks: list[Block]) -> Ends:
        ends = [self.write(block) for block in blocks]
        for (_, last), (first, _) in pairwise(ends):
            self.add(flows(f"{last} > {first}"))
        return ends[0][0], ends[-1][1]

    def choice(self, _: str, blocks: list[Block]) -> Ends:
        split, join = self.id("split"), self.id("join")
        ends = [self.write(block) for block in blocks]
        self.add(f'<exclusiveGateway id="{split}" default="{split}-{ends[0][0]}"/><exclusiveGateway id="{join}"/>')
        self.add(flows(f"{split} > {ends[0][0]}"))
        for number, (first, _) in enumerate(ends[1:], 1):
            self.add(flow(split, first, f"=n = {number}"))
        self.add(*(flows(f"{last} > {join}") for _, last in ends))
        return split, join

    def parallel(self, _: str, blocks: list[Block]) -> Ends:
        fork, join = self.id("fork"), self.id("join")
        self.add(f'<parallelGateway id="{fork}"/><parallelGateway id="{join}"/>')
        for first, last in [self.write(block) for block in blocks]:
            self.add(flows(f"{fork} > {first}", f"{last} > {join}"))
        return fork, join

    def loop(self, _: str, block: Block) -> Ends:
        head, turn, tail = self.id("head"), self.id("turn"), self.id("tail")
        counter = f"i{self.count}"
        first, last = self.write(block)
        self.add(
            f'<exclusiveGateway id="{head}"/><scriptTask id="{turn}"><extensionElements><zeebe:script '
            f'expression="=if {counter} = null then 1 else {counter} + 1" resultVariable="{counter}"/>'
            f'</extensionElements></scriptTask><exclusiveGateway id="{tail}"/>',
            flows(f"{head} > {first}", f"{last} > {turn} > {tail}"),
            flow(tail, head, f"={counter} &lt; 3".replace("&lt;", "<")),
        )
        after = self.id("after")
        self.add(f'<task id="{after}"/>', flows(f"{tail} > {after}"))
        return head, after

    def inclusive(self, _: str, blocks: list[Block]) -> Ends:
        split, join = self.id("split"), self.id("join")
        ends = [self.write(block) for block in blocks]
        self.add(f'<inclusiveGateway id="{split}" default="{split}-{ends[0][0]}"/><inclusiveGateway id="{join}"/>')
        self.add(flows(f"{split} > {ends[0][0]}"))
        for number, (first, _) in enumerate(ends[1:], 1):
            self.add(flow(split, first, f"=n >= {number}"))
        self.add(*(flows(f"{last} > {join}") for _, last in ends))
        return split, join

    def complex(self, _: str, blocks: list[Block], enough: int) -> Ends:
        name, start, fork, join = self.id("sub"), self.id("start"), self.id("fork"), self.id("complex")
        self.add(f'<subProcess id="{name}"><startEvent id="{start}"/><parallelGateway id="{fork}"/>')
        condition = f"<activationCondition>=activationCount &gt;= {enough}</activationCondition>"
        self.add(f'<complexGateway id="{join}">{condition}</complexGateway>', flows(f"{start} > {fork}"))
        for first, last in [self.write(block) for block in blocks]:
            self.add(flows(f"{fork} > {first}", f"{last} > {join}"))
        behind = self.id("behind")
        self.add(f'<userTask id="{behind}"/>', flows(f"{join} > {behind}"), "</subProcess>")
        return name, name

    def chosen(self, _: str, blocks: list[Block], ordering: str) -> Ends:
        name = self.id("chosen")
        self.add(f'<adHocSubProcess id="{name}" ordering="{ordering}">')
        for block in blocks:
            self.inside(self.id("part"), block)
        self.add("<completionCondition>=n = 2</completionCondition></adHocSubProcess>")
        return name, name

    def race(self, _: str, blocks: list[Block]) -> Ends:
        gateway, join = self.id("race"), self.id("join")
        self.add(f'<eventBasedGateway id="{gateway}"/><exclusiveGateway id="{join}"/>')
        for number, block in enumerate(blocks):
            event, _ = self.leaf("timer" if number % 2 else "receive")
            first, last = self.write(block)
            self.add(flows(f"{gateway} > {event} > {first}", f"{last} > {join}"))
        return gateway, join

    def inside(self, name: str, block: Block, extra: str = "") -> Ends:
        start = self.id("start")
        self.add(f'<subProcess id="{name}">{extra}<startEvent id="{start}"/>')
        self.add(flows(f"{start} > {self.write(block)[0]}"), "</subProcess>")
        return name, name

    def many(self, _: str, block: Block, is_sequential: str) -> Ends:
        times = "<loopCardinality>2</loopCardinality>"
        tag = "multiInstanceLoopCharacteristics"
        return self.inside(self.id("many"), block, f'<{tag} isSequential="{is_sequential}">{times}</{tag}>')

    def guarded(self, _: str, block: Block, interrupts: str) -> Ends:
        handler, start = self.id("handler"), self.id("start")
        timing = "timeDuration>PT1H</timeDuration" if interrupts == "true" else "timeCycle>R2/PT1H</timeCycle"
        event = (
            f'<subProcess id="{handler}" triggeredByEvent="true">'
            f'<startEvent id="{start}" isInterrupting="{interrupts}">'
            f"<timerEventDefinition><{timing}></timerEventDefinition></startEvent></subProcess>"
        )
        return self.inside(self.id("guarded"), block, event)

    def watched(self, _: str, block: Block, interrupts: str) -> Ends:
        """Conditions listen at a sub-process and inside it; each may end what it listens to."""
        name, event, handler, merge = (self.id(kind) for kind in ("watched", "event", "handler", "merge"))
        start = f'<startEvent id="{self.id("start")}" isInterrupting="{interrupts}">{CONDITION.format("n = 1")}'
        self.inside(
            name, block, f'<subProcess id="{handler}" triggeredByEvent="true">{start}</startEvent></subProcess>'
        )
        self.add(
            f'<boundaryEvent id="{event}" attachedToRef="{name}" cancelActivity="{interrupts}">',
            f'{CONDITION.format("n = 2")}</boundaryEvent><exclusiveGateway id="{merge}"/>',
            flows(f"{name} > {merge}"),
        )
        if interrupts == "true":
            self.add(flows(f"{event} > {merge}"))
        return name, merge

    def undone(self, _: str, block: Block) -> Ends:
        name, event, handler, throw = self.id("done"), self.id("undo"), self.id("handler"), self.id("throw")
        self.inside(name, block)
        self.add(
            f'<boundaryEvent id="{event}" attachedToRef="{name}"><compensateEventDefinition/></boundaryEvent>',
            f'<userTask id="{handler}" isForCompensation="true"/>',
            f'<association id="as-{event}" sourceRef="{event}" targetRef="{handler}"/>',
            f'<intermediateThrowEvent id="{throw}"><compensateEventDefinition/></intermediateThrowEvent>',
            flows(f"{name} > {throw}"),
        )
        return name, throw

    def sub(self, _: str, block: Block, boundary: str) -> Ends:
        name, start, merge = self.id("sub"), self.id("start"), self.id("merge")
        self.add(f'<subProcess id="{name}"><startEvent id="{start}"/>')
        self.add(flows(f"{start} > {self.write(block)[0]}"), "</subProcess>")
        self.add(f'<exclusiveGateway id="{merge}"/>', flows(f"{name} > {merge}"))
        definition = {
            "timer": "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>",
            "reminder": "<timerEventDefinition><timeCycle>R2/PT1H</timeCycle></timerEventDefinition>",
            "error": "<errorEventDefinition/>",
        }.get(boundary)
        if definition:
            event = self.id("event")
            cancel = "false" if boundary == "reminder" else "true"
            self.add(f'<boundaryEvent id="{event}" attachedToRef="{name}" cancelActivity="{cancel}">{definition}')
            self.add("</boundaryEvent>")
            if boundary != "reminder":
                self.add(flows(f"{event} > {merge}"))
        return name, merge


def write_process(block: Block) -> str:
    """A process around a block."""
    writer = Writer()
    first, last = writer.write(block)
    writer.add('<startEvent id="s"/><endEvent id="e"/>', flows(f"s > {first}", f"{last} > e"))
    return "".join(writer.xml)


def answer(player: Player, random: Random) -> None:
    """Answer one open wait, chosen at random, in one of the ways it may be answered."""
    wait = random.choice([wait for wait in player.open.values() if not isinstance(wait, OpenConditionWait)])
    values = {"n": random.randrange(3)}
    if isinstance(wait, SendCommand | RunScript):
        if random.random() < 0.2:
            player.send(FailTask(wait.wait_id, wait.attempt, "it broke"))
        else:
            player.send(CompleteTask(wait.wait_id, wait.attempt, values if isinstance(wait, SendCommand) else None))
    elif isinstance(wait, OpenTimer):
        player.now = max(player.now, wait.due)
        player.send(TimerFired(wait.wait_id))
    elif isinstance(wait, OpenAdHoc):
        chosen = random.choices(wait.activities, k=random.randrange(3))
        player.send(ActivateActivities(wait.wait_id, tuple(chosen), values, not chosen))
    elif isinstance(wait, Incident):
        player.send((Retry if random.random() < 0.5 else Skip)(wait.wait_id))
    else:
        assert isinstance(wait, OpenUserTask | OpenMessageWait)
        person = isinstance(wait, OpenUserTask)
        player.send((CompleteUserTask if person else MessageArrived)(wait.wait_id, values))


@settings(max_examples=150, deadline=None)
@given(block=BLOCKS, seed=st.integers(0, 2**32))
def test_well_structured_processes_always_finish(block: Block, seed: int) -> None:
    """However they are answered, one token reaches the end; the player checks the books after every step."""
    random = Random(seed)  # noqa: S311 - a repeatable player, not a secret
    player = Player(write_process(block), '<message id="m" name="M"/>').start(n=random.randrange(3))
    for _ in range(2000):
        if player.status.is_final:
            break
        answer(player, random)
    assert player.status is Status.COMPLETED
    assert player.trace.count("e") == 1
    assert player.open == {}


@settings(max_examples=150, deadline=None)
@given(block=BLOCKS, seed=st.integers(0, 2**32), steps=st.integers(1, 5))
def test_a_process_done_in_pieces_comes_to_the_same(block: Block, seed: int, steps: int) -> None:
    """However small the pieces of a trigger are: every element is passed as often, and the variables are the same."""
    ways: list[tuple[list[str], dict[str, Any]]] = []
    for cut in (None, steps):
        random = Random(seed)  # noqa: S311 - a repeatable player, not a secret
        player = Player(write_process(block), '<message id="m" name="M"/>', steps=cut).start(n=random.randrange(3))
        for _ in range(2000):
            if player.status.is_final:
                break
            answer(player, random)
        assert player.status is Status.COMPLETED
        ways.append((sorted(player.trace), player.variables))
    assert ways[0] == ways[1]


@settings(max_examples=60, deadline=None)
@given(block=BLOCKS, seed=st.integers(0, 2**32), steps=st.integers(0, 8))
def test_a_process_can_be_cancelled_at_any_moment(block: Block, seed: int, steps: int) -> None:
    """Nothing stays open."""
    random = Random(seed)  # noqa: S311 - a repeatable player, not a secret
    player = Player(write_process(block), '<message id="m" name="M"/>').start(n=0)
    for _ in range(steps):
        if not player.status.is_final:
            answer(player, random)
    if not player.status.is_final:
        player.cancel()
        assert player.status is Status.CANCELLED
    assert player.open == {}
    assert player.instance.tokens == {}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Acyclic graphs of tasks and parallel gateways, wired anyhow: kinds, and edges from lower to higher numbers."""
    kinds = draw(st.lists(st.sampled_from(["task", "parallelGateway"]), min_size=1, max_size=7))
    edges = {(draw(st.integers(0, target - 1)), target) for target in range(1, len(kinds) + 1)}
    pairs = [(a, b) for b in range(2, len(kinds) + 1) for a in range(1, b)]
    extra = draw(st.sets(st.sampled_from(pairs), max_size=6)) if pairs else set[Edge]()
    return kinds, sorted(edges | extra)


def play_by_hand(kinds: list[str], edges: list[Edge]) -> tuple[Counter[int], int]:
    """The token game by brute force: how often each node completes, and how many tokens are stuck before joins."""
    marking = Counter(edge for edge in edges if edge[0] == 0)
    fired = Counter[int]()
    moved = True
    while moved:
        moved = False
        for number, kind in enumerate(kinds, 1):
            incoming = [edge for edge in edges if edge[1] == number]
            choices = [incoming] if kind == "parallelGateway" else [[edge] for edge in incoming]
            for used in choices:
                while all(marking[edge] for edge in used):
                    marking.subtract(used)
                    marking.update(edge for edge in edges if edge[0] == number)
                    fired[number] += 1
                    moved = True
    return fired, sum(marking.values())


@settings(max_examples=300, deadline=None)
@given(graph=graphs())
def test_parallel_joins_agree_with_the_token_game(graph: Graph) -> None:
    """Every node completes as often as in the brute-force game, and stuck tokens are an incident."""
    kinds, edges = graph
    body = '<startEvent id="n0"/>' + "".join(f'<{kind} id="n{number}"/>' for number, kind in enumerate(kinds, 1))
    player = Player(body + flows(*(f"n{a} > n{b}" for a, b in edges))).start()
    fired, stuck = play_by_hand(kinds, edges)
    completed = Counter(int(name[1:]) for name in player.trace)
    del completed[0]
    assert completed == +fired
    assert len(player.instance.tokens) == stuck
    assert player.status is (Status.ERROR if stuck else Status.COMPLETED)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200), st.integers(0, 400), st.integers(0, 40))
def test_a_damaged_file_is_read_or_refused(noise: str, place: int, length: int) -> None:
    """Whatever is put into a file, the answer is a process or InvalidDefinition."""
    source = model('<startEvent id="s"/><task id="t"/><endEvent id="e"/>' + flows("s > t > e"))
    try:
        process = load(source[:place] + noise + source[place + length :])
    except InvalidDefinition as refused:
        process = refused
    assert process.problems if isinstance(process, InvalidDefinition) else process.nodes
