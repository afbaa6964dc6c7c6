"""Diagrams, generated and damaged: refused by a list of problems, or played with any answers in any order.

The books of an instance are in order after every trigger, and none takes long (see `tests/bpm/bpmn/player.py`).
"""

import time
from datetime import timedelta
from importlib import resources
from itertools import pairwise

from hypothesis import strategies as st

from bpm.bpmn import InvalidDefinition, load
from bpm.bpmn.limits import EngineLimits
from bpm.bpmn.state import Wait
from bpm.bpmn.triggers import (
    ActivateActivities,
    Cancel,
    CompleteTask,
    CompleteUserTask,
    Escalated,
    FailTask,
    GoOn,
    MessageArrived,
    Retry,
    SignalArrived,
    Skip,
    Start,
    Stop,
    TimerFired,
)
from tests.bpm.bpmn.player import Player, model
from tests.bpm.bpmn.test_foreign import BPMN_IO
from tests.bpm.bpmn.test_properties import BLOCKS, Writer
from tests.fuzz.targets.expressions import WORDS

MAX_SECONDS = 3.0
"""Of the processor, for a trigger; the player does everything twice."""
LIMITS = EngineLimits(max_steps=300, max_unattended_steps=2_000, max_tokens=200, max_state_bytes=200_000)
DEMO = (resources.files("bpm.cli.demo") / "payloads" / "order.bpmn").read_text("utf-8")
HEAD = (
    '<message id="m" name="go"/><signal id="g" name="s"/><error id="r" errorCode="E"/><escalation id="c" '
    'escalationCode="C"/>'
)
TIMES = [("timeDuration", "PT1M"), ("timeCycle", "R3/PT1M"), ("timeDate", "2026-01-01"), ("timeDuration", "=v")]
DEFINITIONS = [
    "",
    '<messageEventDefinition messageRef="m"/>',
    '<signalEventDefinition signalRef="g"/>',
    '<errorEventDefinition errorRef="r"/>',
    '<escalationEventDefinition escalationRef="c"/>',
    '<linkEventDefinition name="l"/>',
    "<terminateEventDefinition/>",
    "<cancelEventDefinition/>",
    "<compensateEventDefinition/>",
    "<conditionalEventDefinition><condition>=n &gt; 1</condition></conditionalEventDefinition>",
    *(f"<timerEventDefinition><{kind}>{text}</{kind}></timerEventDefinition>" for kind, text in TIMES),
]
MANY = "multiInstanceLoopCharacteristics"
LOOPS = [
    "",
    "",
    f"<{MANY}><loopCardinality>=n</loopCardinality></{MANY}>",
    f'<{MANY} isSequential="true"><loopCardinality>3</loopCardinality></{MANY}>',
    "<standardLoopCharacteristics><loopCondition>=n &lt; 3</loopCondition></standardLoopCharacteristics>",
]
_LISTENER = '<camunda:executionListener event="{}"><camunda:script>x</camunda:script></camunda:executionListener>'
LISTENERS = [
    f"<extensionElements>{inner}</extensionElements>"
    for inner in (
        _LISTENER.format("start"),
        _LISTENER.format("end"),
        '<camunda:inputOutput><camunda:inputParameter name="a"><camunda:script>x</camunda:script>'
        "</camunda:inputParameter></camunda:inputOutput>",
        '<camunda:inputOutput><camunda:outputParameter name="a"><camunda:script>x</camunda:script>'
        "</camunda:outputParameter></camunda:inputOutput>",
    )
]
TASKS = ["task", "scriptTask", "serviceTask", "userTask", "receiveTask", "sendTask", "callActivity", "businessRuleTask"]
GATEWAYS = ["exclusiveGateway", "parallelGateway", "inclusiveGateway", "eventBasedGateway", "complexGateway"]
EVENTS = ["startEvent", "endEvent", "intermediateCatchEvent", "intermediateThrowEvent", "boundaryEvent"]
SCOPES = ["subProcess", "transaction", "adHocSubProcess"]
VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-3, 5), st.sampled_from(["a", "PT1S", "E", "x" * 5_000])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "n"]), inner, max_size=2),
    max_leaves=5,
)
VARIABLES = st.dictionaries(st.sampled_from(["n", "v", "a", "loopCounter"]), VALUES, max_size=3)
CODES = st.sampled_from([None, "E", "C", "x"])


def fuzz(data: st.DataObject) -> None:
    """Raise when a file is neither refused nor played in order."""
    source = data.draw(st.sampled_from([_soup, _blocks, _foreign]))(data)
    started = time.thread_time()
    try:
        process = load(_damaged(data, source) if data.draw(st.booleans()) else source)
    except InvalidDefinition as refused:
        _check_refused(refused)
        return
    finally:
        assert time.thread_time() - started < MAX_SECONDS, source
    player = Player('<startEvent id="s"/>', limits=LIMITS, steps=data.draw(st.sampled_from([None, 1, 5])))
    player.process = process
    _play(data, player, source)


def _check_refused(refused: InvalidDefinition) -> None:
    assert refused.errors
    assert sum(map(len, refused.errors)) < 2_000_000


def _play(data: st.DataObject, player: Player, source: str) -> None:
    start = st.sampled_from([None, *process_messages(player)])
    player.send(Start(data.draw(VARIABLES), data.draw(start), starter="ann"))
    for _ in range(data.draw(st.integers(0, 12))):
        if not player.open:
            return
        player.now += timedelta(seconds=data.draw(st.sampled_from([0, 1, 90, 100_000_000])))
        started = time.thread_time()
        player.send(_trigger(data, player))
        assert time.thread_time() - started < MAX_SECONDS, source


def process_messages(player: Player) -> list[str]:
    """Return the names of the messages that start the process."""
    return list(player.process.start_messages)


def _trigger(data: st.DataObject, player: Player):
    """Return an answer to an open wait: mostly one of its kind."""
    wait = player.instance.waits[data.draw(st.sampled_from(sorted(player.open)))]
    done = [
        CompleteTask(wait.id, wait.attempt, data.draw(VALUES), data.draw(VARIABLES)),
        FailTask(wait.id, wait.attempt, "no", data.draw(CODES)),
    ]
    retried = [Retry(wait.id, data.draw(VARIABLES)), Skip(wait.id, data.draw(VARIABLES))]
    by_kind = {
        **dict.fromkeys(("command", "script", "decision"), done),
        "call": [*done, Escalated(wait.id, data.draw(CODES))],
        "incident": retried,
        "user": [CompleteUserTask(wait.id, data.draw(VARIABLES))],
        "timer": [TimerFired(wait.id, data.draw(st.booleans()))],
        "message": [MessageArrived(wait.id, data.draw(VALUES))],
        "signal": [SignalArrived(wait.id, data.draw(VALUES))],
        "pause": [GoOn(wait.id)],
        "adHoc": [ActivateActivities(wait.id, data.draw(_chosen(player, wait)), {}, data.draw(st.booleans()))],
    }
    others = [Cancel("over"), *done, *retried, TimerFired(wait.id), Stop(wait.id, "too large", data.draw(VALUES))]
    is_other = data.draw(st.integers(0, 9)) == 0
    return data.draw(st.sampled_from(others if is_other else by_kind.get(wait.kind, others)))


def _chosen(player: Player, wait: Wait) -> st.SearchStrategy[tuple[str, ...]]:
    """Return some activities that an ad hoc sub-process can begin."""
    known = getattr(player.open[wait.id], "activities", ()) or ("",)
    return st.lists(st.sampled_from(known), min_size=0 if known[0] else 1, max_size=3).map(tuple)


def _blocks(data: st.DataObject) -> str:
    writer = Writer()
    first, last = writer.write(data.draw(BLOCKS))
    ends = (
        f'<startEvent id="begin"/><endEvent id="finish"/><sequenceFlow id="b" sourceRef="begin" targetRef="{first}"/>'
    )
    return model("".join([ends, *writer.xml, f'<sequenceFlow id="f" sourceRef="{last}" targetRef="finish"/>']), HEAD)


def _foreign(data: st.DataObject) -> str:
    return data.draw(st.sampled_from([BPMN_IO, DEMO]))


def _soup(data: st.DataObject) -> str:
    """Return elements of every kind, joined by any flows."""
    ids: list[str] = []
    return model(_scope(data, ids, 0), HEAD)


def _scope(data: st.DataObject, ids: list[str], depth: int, *, begins: bool = True) -> str:
    here = [f"e{len(ids) + number}" for number in range(data.draw(st.integers(2, 6)))]
    ids += here
    parts = [f'<startEvent id="{here[0]}"/>' if begins else f'<userTask id="{here[0]}"/>']
    parts += [_element(data, one, here, ids, depth) for one in here[1:]]
    pairs = st.tuples(st.sampled_from(here), st.sampled_from(here))
    ways = [*pairwise(here), *data.draw(st.lists(pairs, max_size=4))]
    for number, (source, target) in enumerate(ways):
        condition = data.draw(st.sampled_from(["", "", "<conditionExpression>=n = 1</conditionExpression>"]))
        flow = f"f{here[0]}{number}"
        parts.append(f'<sequenceFlow id="{flow}" sourceRef="{source}" targetRef="{target}">{condition}</sequenceFlow>')
    return "".join(parts)


def _element(data: st.DataObject, name: str, here: list[str], ids: list[str], depth: int) -> str:
    tag = data.draw(st.sampled_from([*TASKS, *GATEWAYS, *EVENTS, *(SCOPES if depth < 3 else ())]))
    loop = data.draw(st.sampled_from(LOOPS)) if tag in TASKS or tag in SCOPES else ""
    more = {
        "serviceTask": 'camunda:topic="X"',
        "sendTask": 'camunda:topic="X"',
        "receiveTask": 'messageRef="m"',
        "callActivity": f'calledElement="{data.draw(st.sampled_from(["p", "=v", "other"]))}"',
        "businessRuleTask": 'camunda:decisionRef="d"',
        "boundaryEvent": f'attachedToRef="{data.draw(st.sampled_from(here))}"'
        f' cancelActivity="{data.draw(st.sampled_from(["true", "false"]))}"',
        "subProcess": data.draw(st.sampled_from(["", "", 'triggeredByEvent="true"'])),
    }.get(tag, "")
    inner = _scope(data, ids, depth + 1, begins=tag != "adHocSubProcess") if tag in SCOPES else ""
    if tag in EVENTS:
        inner = data.draw(st.sampled_from(DEFINITIONS)) + data.draw(st.sampled_from(["", "", *DEFINITIONS]))
        more += data.draw(st.sampled_from(["", ' parallelMultiple="true"'] if "Throw" not in tag else [""]))
    elif tag == "complexGateway":
        inner = "<activationCondition>=activationCount &gt;= n</activationCondition>"
    elif tag == "scriptTask":
        inner = "<script>x</script>"
    holder = data.draw(st.sampled_from(["", "", "", *LISTENERS]))
    return f'<{tag} id="{name}" {more}>{holder}{loop}{inner}</{tag}>'


def _damaged(data: st.DataObject, source: str) -> str:
    """Return a file with pieces of it left out, doubled, moved, or words of expressions put in."""
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(source)))
        end = min(len(source), start + data.draw(st.integers(0, 120)))
        to = data.draw(st.integers(0, len(source)))
        word = data.draw(
            st.sampled_from([*WORDS, "<", ">", "&lt;", "&#0;", "]]>", "<!--", 'id="e1"', "=v", "\0", "é" * 300])
        )
        source = data.draw(
            st.sampled_from([
                source[:start] + source[end:],
                source[:to] + source[start:end] + source[to:],
                source[:start] + word + source[end:],
            ])
        )  # fmt: skip
    return source
