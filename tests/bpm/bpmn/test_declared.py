"""What files leave out: codes of errors and escalations, and ids of flows."""

import pytest

from tests.bpm.bpmn.player import Player, flows

DECLARED = """<error id="named" name="ANY"/><error id="coded" name="Not found" errorCode="E1"/>
<escalation id="called" name="ANY"/><escalation id="numbered" name="Late" escalationCode="E1"/>"""
CAUGHT = """<startEvent id="s"/><subProcess id="q"><startEvent id="ps"/>{thrower}{inside}</subProcess>
<boundaryEvent id="b" attachedToRef="q">{caught}</boundaryEvent><userTask id="u"/><endEvent id="e"/>"""
THROWER = '<endEvent id="x"><{kind}EventDefinition {kind}Ref="{thrown}"/></endEvent>'
CATCHER = "<{kind}EventDefinition {reference}/>"


@pytest.mark.parametrize(
    ("kind", "named", "coded"), [("error", "named", "coded"), ("escalation", "called", "numbered")]
)
def test_a_name_without_a_code_catches_whatever_is_thrown(kind: str, named: str, coded: str) -> None:
    """Its name is not its code: Camunda 7, Operaton and Zeebe read it so."""
    for caught in (f'{kind}Ref="{named}"', ""):
        for thrown in (named, coded):
            assert _thrown(kind, thrown, caught).waiting == ["u"]
    assert _thrown(kind, coded, f'{kind}Ref="{coded}"').waiting == ["u"]
    assert "u" not in _thrown(kind, named, f'{kind}Ref="{coded}"').waiting


def _thrown(kind: str, thrown: str, caught: str):
    body = CAUGHT.format(
        thrower=THROWER.format(kind=kind, thrown=thrown),
        inside=flows("ps > x"),
        caught=CATCHER.format(kind=kind, reference=caught),
    )
    return Player(body + flows("s > q > e", "b > u"), DECLARED).start()


@pytest.mark.parametrize("join", ["parallelGateway", "inclusiveGateway"])
@pytest.mark.parametrize("known", ["", ' id="f -&gt; j"', ' id="known"'])
def test_flows_between_the_same_elements_need_no_ids(join: str, known: str) -> None:
    """Each is a flow of its own, whatever others are called: the join waits for both, and fires once."""
    body = f"""<startEvent id="s"/><sequenceFlow sourceRef="s" targetRef="f"/><parallelGateway id="f"/>
    <sequenceFlow sourceRef="f" targetRef="a"/><sequenceFlow{known} sourceRef="f" targetRef="j"/>
    <sequenceFlow sourceRef="f" targetRef="j"/><userTask id="a"/><sequenceFlow sourceRef="a" targetRef="j"/>
    <{join} id="j"/><sequenceFlow sourceRef="j" targetRef="e"/><endEvent id="e"/>"""
    player = Player(body).start()
    assert player.trace[:2] == ["s", "f"]
    assert player.waiting == ["a"]
    player.do("a")
    assert (player.status, player.trace.count("e")) == ("COMPLETED", 1)
