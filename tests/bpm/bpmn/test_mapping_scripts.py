"""Scripts in input and output mappings: run one after the other, beside the activity; each may fail and be retried."""

import pytest

from bpm.bpmn import Instance, Status, advance, load
from bpm.bpmn.effects import Incident, OpenUserTask, RunScript, SendCommand
from bpm.bpmn.migration import Comparison
from bpm.bpmn.triggers import MoveTokens, Start
from bpm.model_files.problems import InvalidDefinition
from tests.bpm.bpmn.player import NOON, Player, finished, flows, model


def script(text: str, language: str = "python") -> str:
    return f'<camunda:script scriptFormat="{language}">{text}</camunda:script>'


def mapping(*entries: tuple[str, str, str]) -> str:
    """Entries such as ("input", "x", "${a}")."""
    inner = "".join(
        f'<camunda:{kind}Parameter name="{name}">{value}</camunda:{kind}Parameter>' for kind, name, value in entries
    )
    return f"<extensionElements><camunda:inputOutput>{inner}</camunda:inputOutput></extensionElements>"


def line(*elements: str) -> str:
    """A process of one element after the other."""
    names = [element.partition('id="')[2].partition('"')[0] for element in elements]
    path = flows(" > ".join(["s", *names, "e"]))
    return '<startEvent id="s"/>' + "".join(elements) + '<endEvent id="e"/>' + path


def service(*entries: tuple[str, str, str]) -> str:
    return f'<serviceTask id="t" camunda:type="external" camunda:topic="Work">{mapping(*entries)}</serviceTask>'


def test_an_input_script_runs_before_the_activity() -> None:
    """It sees the variables, and the entries before its own; entries behind see what it came to."""
    task = service(("input", "a", "${x + 1}"), ("input", "b", script("variables['a']")), ("input", "c", "${b * 10}"))
    player = Player(line(task)).start(x=1)
    assert player.effect(RunScript).variables == {"x": 1, "a": 2}
    assert player.waiting == ["t"]
    player.complete("t", 5)
    assert player.effect(SendCommand).parameters == {"a": 2, "b": 5, "c": 50}
    player.complete("t", None)
    assert finished(player)
    assert player.variables == {"x": 1}
    assert player.trace == ["s", "t", "e"]


def test_scripts_in_lists_and_maps_run_in_their_order() -> None:
    """What surrounds them stays as it is."""
    value = (
        f"<camunda:list><camunda:value>${{x}}</camunda:value>{script('one')}<camunda:map>"
        f'<camunda:entry key="k">{script("two")}</camunda:entry></camunda:map></camunda:list>'
    )
    player = Player(line(service(("input", "p", value)))).start(x=0)
    assert player.effect(RunScript).source == "one"
    player.complete("t", 1)
    assert player.effect(RunScript).source == "two"
    player.complete("t", {"deep": True})
    assert player.effect(SendCommand).parameters == {"p": [0, 1, {"k": {"deep": True}}]}


def test_an_output_script_runs_when_there_is_a_result() -> None:
    """It sees the result and the inputs; all outputs are written at once, when the last script has run."""
    task = service(
        ("input", "i", "${x}"),
        ("output", "first", "${result + i}"),
        ("output", "y", script("variables['first']")),
        ("output", "z", "${y + 1}"),
    )
    player = Player(line(task)).start(x=1)
    player.complete("t", 40)
    assert player.effect(RunScript).variables == {"x": 1, "i": 1, "result": 40, "first": 41}
    assert player.variables == {"x": 1}
    player.complete("t", 7)
    assert finished(player)
    assert player.variables == {"x": 1, "first": 41, "y": 7, "z": 8}
    assert player.trace == ["s", "t", "e"]


@pytest.mark.parametrize("language", ["feel", "juel"])
def test_expressions_are_evaluated_in_place(language: str) -> None:
    """Nobody is asked for anything."""
    text = "x + 1" if language == "feel" else "${x + 1}"
    player = Player(line(service(("input", "p", script(text, language))))).start(x=1)
    assert player.effect(SendCommand).parameters == {"p": 2}


def test_a_script_that_fails_is_an_incident_that_can_be_retried() -> None:
    """The scripts before it are not run again, and no error event catches it."""
    task = service(("input", "a", script("one")), ("input", "b", script("two")))
    caught = '<boundaryEvent id="b" attachedToRef="sub"><errorEventDefinition/></boundaryEvent>'
    inner = f'<subProcess id="sub"><startEvent id="si"/>{task}{flows("si > t")}</subProcess>'
    player = Player(line(inner) + caught).start()
    player.complete("t", 1)
    player.fail("t", "SomeError")
    assert player.status is Status.ERROR
    player.retry("t")
    assert player.effect(RunScript).source == "two"
    player.complete("t", 2)
    assert player.effect(SendCommand).parameters == {"a": 1, "b": 2}


def test_a_script_that_is_skipped_came_to_null() -> None:
    """The activity is not skipped with it."""
    player = Player(line(service(("input", "a", script("one"))))).start()
    player.fail("t").skip("t", mended=1)
    assert player.effect(SendCommand).parameters == {"a": None}
    assert player.variables == {"mended": 1}


def test_a_retry_of_the_task_keeps_what_its_scripts_came_to() -> None:
    """Other entries see corrected variables."""
    player = Player(line(service(("input", "a", script("one")), ("input", "b", "${x}")))).start(x=1)
    player.complete("t", 5).fail("t").retry("t", x=2)
    assert player.effect(SendCommand).parameters == {"a": 5, "b": 2}


def test_each_turn_runs_its_own_scripts() -> None:
    """They see the item."""
    many = '<multiInstanceLoopCharacteristics camunda:collection="${items}" camunda:elementVariable="i"/>'
    task = service(("input", "a", script("variables['i']"))).replace("</serviceTask>", f"{many}</serviceTask>")
    player = Player(line(task)).start(items=[7, 8])
    asked = [effect.variables["i"] for effect in player.effects if isinstance(effect, RunScript)]
    assert asked == [7, 8]
    for wait in list(player.open.values()):
        player.do_job(wait.wait_id, 1)
    assert {type(wait) for wait in player.open.values()} == {SendCommand}


def test_scripts_of_a_user_task_a_call_and_a_sub_process() -> None:
    """A sub-process has the values inside; a person is shown what the scripts came to."""
    user = f'<userTask id="t">{mapping(("input", "shown", script("one")))}</userTask>'
    player = Player(line(user)).start()
    assert not [effect for effect in player.effects if isinstance(effect, OpenUserTask)]
    player.complete("t", 3)
    assert player.effect(OpenUserTask).variables == {"shown": 3}
    entry = mapping(("input", "local", script("one")))
    inner = f'<subProcess id="t">{entry}<startEvent id="si"/><userTask id="u"/>{flows("si > u")}</subProcess>'
    player = Player(line(inner)).start().complete("t", 4)
    assert (player.waiting, list(player.instance.variables.values())) == (["u"], [{}, {"local": 4}])


def test_a_result_that_cannot_be_mapped_is_kept_for_the_retry() -> None:
    """As everywhere."""
    task = service(("output", "y", script("one")), ("output", "z", "${y + 2 ** n}"))
    player = Player(line(task)).start(n=2000).complete("t", 1).complete("t", 1)
    assert isinstance(player.wait("t"), Incident)
    player.retry("t", n=2)
    assert finished(player)
    assert player.variables["z"] == 5


def test_a_boundary_event_ends_a_script_of_the_outside() -> None:
    """The boundary events of the activity itself are not there yet while its inputs are made."""
    timer = '<boundaryEvent id="b" attachedToRef="t"><timerEventDefinition><timeDuration>PT1M</timeDuration>'
    body = line(service(("input", "a", script("one")))) + timer + "</timerEventDefinition></boundaryEvent>"
    player = Player(body).start()
    assert player.waiting == ["t"]
    player.complete("t", 1)
    assert player.waiting == ["b", "t"]


def test_a_token_at_a_script_can_be_moved() -> None:
    """It counts as one at the element."""
    player = Player(line(service(("input", "a", script("one"))), '<userTask id="u"/>')).start()
    player.send(MoveTokens(("t",), ("u",), {}, "me"))
    assert player.waiting == ["u"]
    player.send(MoveTokens(("u",), ("t",), {}, "me"))
    assert isinstance(player.wait("t"), RunScript)


def test_an_instance_in_the_midst_of_a_script_goes_on_with_an_equal_version_only() -> None:
    """One with other scripts is refused."""
    entries = ("input", "a", script("one")), ("input", "b", script("two"))
    old = load(model(line(service(*entries))))
    started, _ = advance(old, Instance(), Start(), NOON)
    assert Comparison(old, load(model(line(service(*entries))))).missing(started) == []
    assert Comparison(old, load(model(line(service(entries[0]))))).missing(started) == ["t"]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (line(service(("input", "a", script("1", "groovy")))), "its script is written in groovy; scripts are Python"),
        (line(service(("input", "a", script(" ")))), "its script is empty"),
        (
            line(service(("input", "a", script("").replace("scriptFormat", 'resource="x" scriptFormat')))),
            "a script in a file of its own is not read",
        ),
        (
            line(f'<subProcess id="t">{mapping(("output", "a", script("1")))}</subProcess>'),
            "its output mapping holds a script, which is not run here; put a script task beside it",
        ),
    ],
)
def test_what_is_not_run_is_refused(body: str, says: str) -> None:
    """Each with a sentence that says what to do."""
    with pytest.raises(InvalidDefinition) as caught:
        load(model(body))
    assert any(says in error for error in caught.value.errors), caught.value.errors
