"""Listeners: what runs before elements, behind them, along flows and for people's tasks, in its order."""

import pytest

from bpm.bpmn import Instance, InvalidDefinition, Status, advance, load
from bpm.bpmn.effects import OpenUserTask, RunScript, SendCommand
from bpm.bpmn.migration import Comparison
from bpm.bpmn.triggers import MoveTokens, Start
from tests.bpm.bpmn.player import NOON, Player, finished, flow, flows, model


def listener(event: str, source: str, kind: str = "execution") -> str:
    """A script that listens, in the words of Camunda 7."""
    script = f'<camunda:script scriptFormat="python">{source}</camunda:script>'
    return f'<camunda:{kind}Listener event="{event}">{script}</camunda:{kind}Listener>'


def extended(tag: str, name: str, *extensions: str, inner: str = "", more: str = "") -> str:
    holder = f"<extensionElements>{''.join(extensions)}</extensionElements>"
    return f'<{tag} id="{name}" {more}>{holder}{inner}</{tag}>'


def line(element: str, name: str = "t"):
    return f'<startEvent id="s"/>{element}<endEvent id="e"/>' + flows(f"s > {name} > e")


def asked(player: Player):
    """The sources of the scripts that the last step asked for."""
    return [effect.source for effect in player.effects if isinstance(effect, RunScript)]


def play_scripts(player: Player):
    """Let every script run at once; returns their sources in their order."""
    ran = asked(player)
    while found := [effect for effect in player.effects if isinstance(effect, RunScript)]:
        player.do_job(found[0].wait_id)
        ran += asked(player)
    return ran


def test_start_and_end_listeners_run_around_an_element() -> None:
    """Each waits for the one before it."""
    task = extended("task", "t", listener("end", "c"), listener("start", "a"), listener("start", "b"))
    player = Player(line(task)).start()
    assert (asked(player), player.waiting) == (["a"], ["t"])
    assert play_scripts(player) == ["a", "b", "c"]
    assert finished(player)
    assert player.trace == ["s", "t", "e"]
    assert player.events.count("t listened") == 4


def test_the_order_of_everything_beside_a_person_s_task() -> None:
    """Input mapping, start, create, assignment; complete, output mapping, end, take."""
    value = '<camunda:script scriptFormat="python">{}</camunda:script>'
    mapping = (
        f'<camunda:inputOutput><camunda:inputParameter name="i">{value.format("input")}</camunda:inputParameter>'
        f'<camunda:outputParameter name="o">{value.format("output")}</camunda:outputParameter></camunda:inputOutput>'
    )
    events = [listener(event, event, "task") for event in ("complete", "assignment", "create")]
    around = [listener(event, event) for event in ("end", "start")]
    task = extended("userTask", "t", *events, *around, mapping, more='camunda:assignee="ann"')
    taken = f'<sequenceFlow id="f" sourceRef="t" targetRef="e"><extensionElements>{listener("take", "take")}'
    body = f'<startEvent id="s"/>{task}<endEvent id="e"/>{flows("s > t")}{taken}</extensionElements></sequenceFlow>'
    player = Player(body).start()
    assert play_scripts(player) == ["input", "start", "create", "assignment"]
    assert isinstance(player.wait("t"), OpenUserTask)
    player.do("t")
    assert play_scripts(player) == ["complete", "output", "end", "take"]
    assert finished(player)


def test_nobody_listens_to_an_assignment_where_nobody_is_assigned() -> None:
    """The expression may come to nothing."""
    task = extended("userTask", "t", listener("assignment", "a", "task"), more='camunda:assignee="${who}"')
    assert isinstance(Player(line(task)).start().wait("t"), OpenUserTask)
    assert asked(Player(line(task)).start(who="ann")) == ["a"]


def test_variables_that_a_listener_changes_are_written() -> None:
    """Those of the input mapping are the element's own."""
    mapping = '<zeebe:ioMapping><zeebe:input source="=x" target="local"/></zeebe:ioMapping>'
    task = extended("serviceTask", "t", listener("start", "a"), mapping, more='camunda:topic="W"')
    player = Player(line(task)).start(x=1)
    assert player.effect(RunScript).variables == {"x": 1, "local": 1}
    player.complete("t", None, local=5, new=6)
    assert player.effect(SendCommand).parameters == {"local": 5}
    assert player.variables == {"x": 1, "new": 6}


def test_a_complete_listener_sees_and_changes_what_was_given() -> None:
    """Before it is mapped, or becomes variables."""
    mapping = '<zeebe:ioMapping><zeebe:output source="=given + 1" target="kept"/></zeebe:ioMapping>'
    for extra, variables in ((mapping, {"kept": 6, "new": 1}), ("", {"given": 5, "new": 1})):
        task = extended("userTask", "t", listener("complete", "a", "task"), extra)
        player = Player(line(task)).start().do("t", given=2)
        assert player.effect(RunScript).variables == {"given": 2}
        assert finished(player.complete("t", None, given=5, new=1))
        assert player.variables == variables


def test_a_listener_that_fails_is_an_incident_that_can_be_retried_or_skipped() -> None:
    """No error event catches it, and those before it are not run again."""
    task = extended("task", "t", listener("start", "a"), listener("start", "b"), listener("end", "c"))
    caught = '<boundaryEvent id="b" attachedToRef="sub"><errorEventDefinition/></boundaryEvent>'
    inner = f'<subProcess id="sub"><startEvent id="si"/>{task}{flows("si > t")}</subProcess>'
    player = Player(line(inner, "sub") + caught).start().complete("t").fail("t", "Bad")
    assert player.status is Status.ERROR
    assert asked(player.retry("t")) == ["b"]
    player.fail("t").skip("t", mended=True)
    assert (asked(player), player.variables) == (["c"], {"mended": True})
    assert finished(player.complete("t"))


def test_a_listener_that_is_skipped_writes_nothing() -> None:
    """Nor is a variable of its result's name overwritten; behind the last one outputs are mapped all the same."""
    command = '<bpm:executionListener event="start" type="Look" resultVariable="seen"/>'
    task = f'<task id="t"><extensionElements>{command}</extensionElements></task>'
    player = Player(line(task)).start(seen=1).fail("t").skip("t")
    assert (player.status, player.variables) == (Status.COMPLETED, {"seen": 1})
    command = '<bpm:taskListener event="complete" type="Look" resultVariable="seen"/>'
    output = '<bpm:output name="x">{{given}}</bpm:output>'
    task = f'<userTask id="t"><extensionElements>{command}{output}</extensionElements></userTask>'
    player = Player(line(task)).start(seen=1).do("t", given=2).fail("t").skip("t")
    assert (player.status, player.variables["seen"], player.variables["x"]) == (Status.COMPLETED, 1, 2)


def test_a_command_of_the_bus_listens() -> None:
    """Camunda 8 names it by its type, and its result becomes variables; ours has parameters."""
    zeebe = '<zeebe:executionListeners><zeebe:executionListener eventType="start" type="Prepare" retries="1"/>'
    task = extended("task", "t", f"{zeebe}</zeebe:executionListeners>")
    player = Player(line(task)).start(x=1)
    command = player.effect(SendCommand)
    assert (command.command, command.parameters, command.is_mapped, command.retries) == ("Prepare", {"x": 1}, False, 1)
    assert finished(player.complete("t", {"y": 2}))
    assert player.variables == {"x": 1, "y": 2}
    own = '<bpm:executionListener event="end" type="Tell" resultVariable="told"><bpm:parameter name="a">{{x}}'
    task = extended("task", "t", f"{own}</bpm:parameter></bpm:executionListener>")
    player = Player(line(task)).start(x=1)
    assert player.effect(SendCommand).parameters == {"a": 1}
    assert finished(player.complete("t", 5))
    assert player.variables == {"x": 1, "told": 5}
    assert load(model(line(task))).commands == [("t", "Tell", ("a",))]


def test_listeners_of_the_process_itself() -> None:
    """Before whatever it starts with, and when nothing is left."""
    holder = f"<extensionElements>{listener('start', 'first')}{listener('end', 'last')}</extensionElements>"
    player = Player(holder + line('<userTask id="t"/>')).start()
    assert play_scripts(player) == ["first"]
    player.do("t", a=1)
    assert player.effect(RunScript).variables == {"a": 1}
    assert finished(player.complete("p", None, b=2))
    assert player.variables == {"a": 1, "b": 2}


def test_listeners_of_a_process_that_ends_at_once() -> None:
    """A terminate end event is an end as well."""
    holder = f"<extensionElements>{listener('end', 'last')}</extensionElements>"
    end = '<endEvent id="e"><terminateEventDefinition/></endEvent>'
    player = Player(f'{holder}<startEvent id="s"/>{end}{flows("s > e")}').start()
    assert play_scripts(player) == ["last"]
    assert finished(player)


def test_each_turn_has_its_listeners() -> None:
    """They see the item."""
    many = '<multiInstanceLoopCharacteristics isSequential="true" camunda:collection="${items}"'
    many += ' camunda:elementVariable="i"/>'
    task = extended("task", "t", listener("start", "variables['i']"), listener("end", "done"), inner=many)
    player = Player(line(task)).start(items=[[1], [2]])
    assert player.effect(RunScript).variables["i"] == [1]
    assert len(play_scripts(player)) == 4
    assert finished(player)


def test_a_gateway_chooses_its_flow_behind_its_listeners() -> None:
    """They may set what it asks for; also along a flow that is taken."""
    gateway = extended("exclusiveGateway", "g", listener("end", "a"), more='default="g-u"')
    body = f'<startEvent id="s"/>{gateway}<userTask id="u"/><userTask id="v"/>{flows("s > g", "g > u")}'
    player = Player(body + flow("g", "v", "=x = 1")).start().complete("g", None, x=1)
    assert player.waiting == ["v"]
    assert [record.flows for record in player.history if record.event == "listened"][-1] == ("g-v",)


def test_an_inclusive_join_waits_for_a_token_whose_flow_is_listened_to() -> None:
    """It is on its way, and can still arrive."""
    taken = f"<extensionElements>{listener('take', 'a')}</extensionElements>"
    body = (
        '<startEvent id="s"/><inclusiveGateway id="f"/><inclusiveGateway id="j"/><userTask id="e"/>'
        f'{flows("s > f", "f > t", "t > j", "j > e")}<task id="t"/>'
        f'<sequenceFlow id="x" sourceRef="f" targetRef="j">{taken}</sequenceFlow>'
    )
    player = Player(body).start()
    assert player.waiting == ["x"]
    assert player.complete("x").waiting == ["e"]


def test_an_event_listens_where_it_begins_a_path() -> None:
    """A boundary event, an event sub-process and a start event inside one."""
    event = "<timerEventDefinition><timeDuration>PT1H</timeDuration></timerEventDefinition>"
    boundary = extended("boundaryEvent", "b", listener("start", "a"), inner=event, more='attachedToRef="t"')
    player = Player(line('<userTask id="t"/>') + boundary + '<userTask id="u"/>' + flows("b > u")).start().fire("b")
    assert play_scripts(player) == ["a"]
    assert player.waiting == ["u"]


def test_a_token_at_a_listener_can_be_moved_and_its_instance_migrated() -> None:
    """To a version that listens as well."""
    task = extended("userTask", "t", listener("start", "a"))
    player = Player(line(task)).start().send(MoveTokens(("t",), ("t",), {}, "me"))
    assert asked(player) == ["a"]
    old = load(model(line(task)))
    started, _ = advance(old, Instance(), Start(), NOON)
    assert Comparison(old, load(model(line(task)))).missing(started) == []
    assert Comparison(old, load(model(line('<userTask id="t"/>')))).missing(started) == ["t"]


JAVA = '<camunda:executionListener event="start" class="com.acme.A"/>'


@pytest.mark.parametrize(
    ("element", "says"),
    [
        (extended("task", "t", JAVA), "its listener calls Java code, which does not run here; give it a script, or"),
        (extended("task", "t", JAVA.replace("class", "delegateExpression")), "its listener calls Java code"),
        (extended("task", "t", JAVA.replace("class", "expression")), "nobody would use the value"),
        (extended("task", "t", '<camunda:executionListener event="start"/>'), "nothing to be executed"),
        (
            extended("task", "t", listener("begin", "a")),
            "its listener for 'begin' is not executed; it may be",
        ),
        (extended("task", "t", listener("take", "a")), "it stands on a sequence flow"),
        (extended("task", "t", listener("start", "")), "its listener holds an empty script"),
        (extended("task", "t", listener("start", "a").replace("python", "groovy")), "is written in groovy"),
        (extended("task", "t", listener("create", "a", "task")), "only user tasks have them"),
        (extended("userTask", "t", listener("timeout", "a", "task")), "attach a timer boundary event that does not"),
        (extended("userTask", "t", listener("update", "a", "task")), "nothing changes a task here"),
        (extended("userTask", "t", listener("delete", "a", "task")), "attach a boundary event"),
        (extended("userTask", "t", listener("delete", "a", "task")), "attach a boundary event, or listen"),
        (extended("task", "t", '<bpm:executionListener event="end"/>'), "names no command to be executed"),
        (extended("task", "t", '<bpm:executionListener event="end" typ="A"/>'), "the attribute 'typ' of its listener"),
        (extended("task", "t", '<bpm:executionListener event="end" type="A" retries="x"/>'), "its number of retries"),
    ],
)
def test_what_does_not_listen_is_refused(element: str, says: str) -> None:
    """By name, with what to do instead."""
    with pytest.raises(InvalidDefinition) as caught:
        load(model(line(element)))
    assert any(says in error and "'t'" in error for error in caught.value.errors), caught.value.errors


def test_where_no_token_comes_or_goes_nothing_listens() -> None:
    """Before joins, behind events that throw errors, and on flows behind event-based gateways."""
    join = extended("parallelGateway", "j", listener("start", "a"))
    body = f'<startEvent id="s"/><parallelGateway id="f"/>{join}{flows("s > f")}'
    body += '<sequenceFlow id="x" sourceRef="f" targetRef="j"/><sequenceFlow id="y" sourceRef="f" targetRef="j"/>'
    with pytest.raises(InvalidDefinition, match="its start listener is not executed; put a task before it"):
        load(model(body))
    end = extended("endEvent", "e", listener("end", "a"), inner='<errorEventDefinition errorRef="x"/>')
    with pytest.raises(InvalidDefinition, match="its end listener is not executed, as no token goes on from it"):
        load(model(f'<startEvent id="s"/>{end}{flows("s > e")}', '<error id="x" errorCode="X"/>'))
