"""Sub-processes: their scopes, variables and results."""

from bpm.bpmn import Status
from bpm.bpmn.effects import Incident, RunScript
from tests.bpm.bpmn.player import Player, finished, flow, flows

SUB = """<startEvent id="s"/><subProcess id="p1">{extensions}<startEvent id="s1"/>{inner}</subProcess>
<userTask id="after"/>""" + flows("s > p1 > after")
MAPPED = """<extensionElements><zeebe:ioMapping><zeebe:input source="=order.id" target="id"/>
<zeebe:output source="={}" target="found"/></zeebe:ioMapping></extensionElements>"""


def test_a_sub_process_completes_when_its_last_token_is_gone() -> None:
    """Two paths inside, each with its own end."""
    inner = '<userTask id="a"/><userTask id="b"/><endEvent id="e1"/>' + flows("s1 > a > e1", "s1 > b")
    player = Player(SUB.format(extensions="", inner=inner)).start().do("b")
    assert player.waiting == ["a"]
    assert len(player.instance.scopes) == 2
    assert player.do("a").waiting == ["after"]
    assert len(player.instance.scopes) == 1
    assert player.events[-3:] == ["e1 completed", "p1 completed", "after activated"]


def test_variables_written_inside_are_seen_outside_unless_they_are_local() -> None:
    """Input mappings make local variables; what is not local belongs to the process."""
    inner = '<scriptTask id="t"><script>x = variables</script></scriptTask>' + flows("s1 > t")
    player = Player(SUB.format(extensions=MAPPED.format("id + seen"), inner=inner)).start(order={"id": 7})
    assert player.effect(RunScript).variables == {"order": {"id": 7}, "id": 7}
    player.complete("t", None, id=8, seen=1)
    assert player.variables == {"order": {"id": 7}, "seen": 1, "lastScriptResult": None, "found": 9}


def test_conditions_inside_see_the_variables_around() -> None:
    """Inner names come before outer ones."""
    inner = '<exclusiveGateway id="x" default="x-b"/><task id="a"/><task id="b"/>' + flows("s1 > x > b")
    inner += flow("x", "a", "=id = 7 and other = 1")
    player = Player(SUB.format(extensions=MAPPED.format("id"), inner=inner)).start(order={"id": 7}, other=1, id=5)
    assert "a" in player.trace
    assert player.variables["id"] == 5
    assert player.variables["found"] == 7


def test_terminating_inside_ends_only_the_sub_process() -> None:
    """The process goes on behind it."""
    inner = '<userTask id="a"/><userTask id="b"/><endEvent id="x"><terminateEventDefinition/></endEvent>'
    player = Player(SUB.format(extensions="", inner=inner + flows("s1 > a > x", "s1 > b"))).start().do("a")
    assert player.waiting == ["after"]
    assert "b terminated" in player.events


def test_a_sub_process_in_a_loop_has_a_fresh_scope_each_time() -> None:
    """Nothing of the former turn is left."""
    inside = '<startEvent id="s1"/><userTask id="a"/>' + flows("s1 > a")
    body = f'<startEvent id="s"/><subProcess id="p1">{inside}</subProcess><exclusiveGateway id="x" default="x-e"/>'
    body += '<endEvent id="e"/>' + flows("s > p1 > x > e")
    player = Player(body + flow("x", "p1", "=again")).start()
    first = max(player.instance.scopes)
    player.do("a", again=True)
    assert max(player.instance.scopes) > first
    assert len(player.instance.scopes) == 2
    assert finished(player.do("a", again=False))


def test_joins_of_two_running_scopes_do_not_mix() -> None:
    """Two tokens that enter one sub-process at once each have a join of their own inside."""
    inner = '<parallelGateway id="f"/><userTask id="a"/><userTask id="b"/><parallelGateway id="j"/>'
    inner += flows("s1 > f > a > j", "f > b > j")
    body = f'<startEvent id="s"/><task id="t"/><subProcess id="p1"><startEvent id="s1"/>{inner}</subProcess>'
    player = Player(body + '<task id="u"/>' + flows("s > t > p1", "s > u > p1")).start()
    assert player.waiting == ["a", "a", "b", "b"]
    player.do("a").do("a")
    assert player.trace.count("j") == 0
    player.do("b")
    assert player.trace.count("j") == 1
    assert finished(player.do("b"))


def test_an_output_that_cannot_be_mapped_keeps_the_results_for_a_retry() -> None:
    """The sub-process stays, completed inside, until the mapping works."""
    inner = '<task id="t"/>' + flows("s1 > t")
    player = Player(SUB.format(extensions=MAPPED.format("10 ** size"), inner=inner))
    player.start(order={"id": 1}, size=10**9)
    assert player.status is Status.ERROR
    assert player.effect(Incident).element_id == "p1"
    player.retry("p1", size=2)
    assert player.variables["found"] == 100
    assert player.waiting == ["after"]
