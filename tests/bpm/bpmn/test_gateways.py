"""Gateways and conditional flows."""

import pytest

from bpm.bpmn import Status
from bpm.bpmn.effects import Incident
from bpm.bpmn.limits import EngineLimits
from tests.bpm.bpmn.player import Player, finished, flow, flows

XOR = """<startEvent id="s"/><exclusiveGateway id="x" {}/><task id="big"/><task id="small"/><task id="none"/>
<exclusiveGateway id="y"/><endEvent id="e"/>""" + flows("s > x", "big > y", "small > y", "none > y", "y > e")


@pytest.mark.parametrize(("amount", "taken"), [(500, "big"), (50, "small"), (5, "none")])
@pytest.mark.parametrize("style", ["=amount > {}", "${{amount > {}}}", "amount > {}", "${{amount gt {}}}"])
def test_an_exclusive_gateway_takes_the_first_flow_that_holds(amount: int, taken: str, style: str) -> None:
    """Conditions are asked in the order of the file, in whichever language they are written; else the default."""
    body = XOR.format('default="x-none"') + flows("x > none")
    body += flow("x", "big", style.format(100)) + flow("x", "small", style.format(10))
    player = Player(body).start(amount=amount)
    assert finished(player)
    assert player.trace == ["s", "x", taken, "y", "e"]


def test_a_single_flow_without_condition_counts_as_the_default() -> None:
    """A gateway whose only bare flow is not marked takes it when nothing else holds, even if it comes first."""
    player = Player(XOR.format("") + flows("x > none") + flow("x", "big", "=a > 1") + flow("x", "small", "=a > 0"))
    assert player.start(a=5).trace[2] == "big"


def test_a_gateway_no_flow_of_which_holds_is_an_incident_that_a_retry_mends() -> None:
    """Null counts as false; variables given with the retry decide anew."""
    body = XOR.format("") + flow("x", "big", "=a > 2") + flow("x", "small", "=a > 1") + flow("x", "none", "=a > 0")
    player = Player(body).start()
    assert player.status is Status.ERROR
    assert "no outgoing sequence flow" in player.effect(Incident).message
    assert player.retry("x").status is Status.ERROR
    assert finished(player.retry("x", a=2))
    assert player.trace == ["s", "x", "small", "y", "e"]


def test_a_condition_that_is_no_condition_is_an_incident() -> None:
    """A number is neither true nor false."""
    player = Player(
        XOR.format('default="x-none"') + flow("x", "big", "=a") + flow("x", "small", "=b") + flows("x > none")
    )
    assert "true or false" in player.start(a=5).effect(Incident).message


FORK = """<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/><parallelGateway id="j"/>
<endEvent id="e"/>""" + flows("s > f > a > j > e", "f > b > j")


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_a_parallel_join_waits_for_every_branch(order: str) -> None:
    """Whichever branch comes last goes on, once."""
    player = Player(FORK).start()
    assert player.waiting == ["a", "b"]
    player.do(order[0])
    assert player.status is Status.WAITING
    assert finished(player.do(order[1]))
    assert player.trace == ["s", "f", *order, "j", "e"]


def test_a_parallel_gateway_joins_and_forks_at_once() -> None:
    """Three in, two out."""
    body = """<startEvent id="s"/><parallelGateway id="f"/><task id="a"/><task id="b"/><task id="c"/>
    <parallelGateway id="j"/><userTask id="x"/><userTask id="y"/>"""
    body += flows("s > f > a > j > x", "f > b > j > y", "f > c > j")
    assert Player(body).start().waiting == ["x", "y"]


def test_two_tokens_on_the_same_flow_do_not_make_a_join() -> None:
    """A join needs one token on each of its flows; the second on one flow waits for the next round."""
    body = """<startEvent id="s"/><parallelGateway id="f"/><userTask id="a"/><userTask id="b"/><userTask id="c"/>
    <exclusiveGateway id="m"/><parallelGateway id="j"/><endEvent id="e"/>"""
    body += flows("s > f > a > m > j > e", "f > b > m", "f > c > j")
    player = Player(body).start().do("a").do("b")
    assert "j" not in player.trace
    player.do("c")
    assert player.trace.count("j") == 1
    assert player.status is Status.ERROR
    assert "none can come any more" in player.effect(Incident).message


def test_a_join_that_can_never_happen_is_an_incident() -> None:
    """An exclusive split before a parallel join is a mistake that says so instead of hanging."""
    body = XOR.format('default="x-none"').replace('<exclusiveGateway id="y"/>', '<parallelGateway id="y"/>')
    player = Player(body + flow("x", "big", "=true") + flow("x", "small", "=true") + flows("x > none")).start()
    assert player.status is Status.ERROR
    assert player.effect(Incident).element_id == "y"
    assert player.retry("y").status is Status.ERROR
    assert finished(player.skip("y"))


def test_several_flows_out_of_a_task_all_take_a_token() -> None:
    """An uncontrolled split is a fork, and meeting again without a gateway runs the rest once for each token."""
    player = Player(
        '<startEvent id="s"/><task id="t"/><task id="a"/><task id="b"/><task id="c"/><endEvent id="e"/>'
        + flows("s > t > a > c > e", "t > b > c")
    ).start()
    assert finished(player)
    assert sorted(player.trace) == ["a", "b", "c", "c", "e", "e", "s", "t"]


@pytest.mark.parametrize(("n", "taken"), [(15, ["a", "b"]), (5, ["a"]), (0, ["c"])])
def test_conditions_on_flows_out_of_a_task_count(n: int, taken: list[str]) -> None:
    """Every flow whose condition holds is taken, the default only when none is."""
    body = '<startEvent id="s"/><task id="t" default="t-c"/><task id="a"/><task id="b"/><task id="c"/>'
    body += flows("s > t > c") + flow("t", "a", "=n > 1") + flow("t", "b", "=n > 10")
    assert Player(body).start(n=n).trace == ["s", "t", *taken]


LOOP = """<startEvent id="s"/><exclusiveGateway id="m"/><scriptTask id="t"><extensionElements>
<zeebe:script expression="=i + 1" resultVariable="i"/></extensionElements></scriptTask>
<exclusiveGateway id="x" default="x-e"/><endEvent id="e"/>""" + flows("s > m > t > x > e")


def test_a_loop_turns_until_its_condition_fails() -> None:
    """A hundred turns in one step, each on record."""
    player = Player(LOOP + flow("x", "m", "=i < 100")).start(i=0)
    assert finished(player)
    assert player.variables == {"i": 100}
    assert player.trace.count("t") == 100


def test_an_endless_loop_becomes_an_incident() -> None:
    """After a thousand steps the token stops where it is; a retry grants a thousand more."""
    player = Player(LOOP + flow("x", "m", "=i > 0")).start(i=0)
    assert player.status is Status.ERROR
    incident = player.effect(Incident)
    assert "too many steps" in incident.message
    assert incident.element_id in ("m", "t", "x")
    turns = player.variables["i"]
    player.retry(incident.element_id)
    assert player.status is Status.ERROR
    assert player.variables["i"] > turns + 300
    assert player.cancel().status is Status.CANCELLED


def test_a_loop_that_multiplies_its_tokens_is_stopped() -> None:
    """The tokens that were under way are kept, behind one incident."""
    body = '<startEvent id="s"/><task id="a"/><task id="b"/>' + flows("s > a > b > a", "a > b").replace(
        'id="a-b"', "", 1
    )
    player = Player(body, limits=EngineLimits(max_steps=50)).start()
    assert player.status is Status.ERROR
    assert len(player.open) == 1
    assert player.instance.pending is not None
    assert len(player.instance.pending.moving) > 10
    assert player.cancel().status is Status.CANCELLED
