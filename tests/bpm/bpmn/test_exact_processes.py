"""Numbers go through a whole process digit for digit."""

from decimal import Decimal

from hypothesis import given, settings

from bpm.bpmn import Instance
from bpm.bpmn.effects import SendCommand
from bpm.exact_json import read_json, write_json
from bpm.number import CONTEXT, exact
from bpm.strict_json import parse_json
from tests.bpm.bpmn.player import Player, flow, flows
from tests.numbers import ANY, is_kept

ZEEBE = (
    '<extensionElements><zeebe:taskDefinition type="Work"/><zeebe:ioMapping><zeebe:input source="=amount"'
    ' target="given"/><zeebe:input source="={a: [amount]}" target="inside"/>'
    '<zeebe:output source="=given" target="sent"/><zeebe:output source="=answer.a[1]" target="answered"/>'
    "</zeebe:ioMapping></extensionElements>"
)
CAMUNDA = (
    '<extensionElements><camunda:inputOutput><camunda:inputParameter name="y">${amount}</camunda:inputParameter>'
    '<camunda:outputParameter name="copied">${y}</camunda:outputParameter>'
    '<camunda:outputParameter name="sum">${y + 1}</camunda:outputParameter></camunda:inputOutput></extensionElements>'
)


def player_of(number: str) -> Player:
    """A process that sends a number away, copies it, and asks whether it is still the same; it waits at the first."""
    body = (
        f'<startEvent id="s"/><serviceTask id="work">{ZEEBE}</serviceTask><task id="copy">{CAMUNDA}</task>'
        '<exclusiveGateway id="which" default="which-lost"/><userTask id="kept"/><userTask id="lost"/>'
    )
    paths = flows("s > work > copy > which", "which > lost") + flow(
        "which", "kept", f"=amount = {number} and sent = {number} and answered = {number} and copied - {number} = 0"
    )
    return Player(body + paths).start(amount=parse_json(number.encode()))


@settings(max_examples=50)
@given(ANY)
def test_a_variable_is_the_same_at_the_end(number: str) -> None:
    """Through mappings in FEEL and JUEL, a worker's command and answer, a condition, and the state read again."""
    player = player_of(number)
    command = player.effect(SendCommand)
    assert is_kept(number, write_json(command.parameters["given"]).decode())
    assert is_kept(number, write_json(command.parameters["inside"]).decode()[6:-2])
    player.instance = Instance.from_json(player.instance.to_json())
    player.complete("work", {"answer": read_json(b'{"a":[%b]}' % number.encode())})
    assert player.waiting == ["kept"]
    again = Instance.from_json(player.instance.to_json()).root_variables
    for name in ("amount", "sent", "answered", "copied"):
        assert is_kept(number, write_json(again[name]).decode()), name
    came = parse_json(number.encode())
    whole = came + 1 if isinstance(came, int) else CONTEXT.add(exact(came), Decimal(1))
    assert again["sum"] == whole
