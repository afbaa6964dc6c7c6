"""The table of elements: which class executes a tag, by the kind of its event definition (empty: none)."""

from collections.abc import Mapping

from bpm.bpmn.elements.containers.ad_hoc import AdHocSubProcess
from bpm.bpmn.elements.containers.call_activity import CallActivity
from bpm.bpmn.elements.containers.event_sub_process import EventStart, EventSubProcess
from bpm.bpmn.elements.containers.sub_process import SubProcess
from bpm.bpmn.elements.events.boundary_events import BoundaryEvent, CompensationBoundaryEvent
from bpm.bpmn.elements.events.catch_events import CatchEvent, LinkCatchEvent, LinkThrowEvent
from bpm.bpmn.elements.events.compensation import (
    CancelEndEvent,
    CompensationEndEvent,
    CompensationThrowEvent,
    Transaction,
)
from bpm.bpmn.elements.events.end_events import EndEvent, ErrorEndEvent, TerminateEndEvent
from bpm.bpmn.elements.events.start_events import (
    ConditionalStartEvent,
    MessageStartEvent,
    SignalStartEvent,
    StartEvent,
    TimerStartEvent,
)
from bpm.bpmn.elements.events.throw_events import (
    EscalationEndEvent,
    EscalationThrowEvent,
    SignalEndEvent,
    SignalThrowEvent,
    ThrowEvent,
)
from bpm.bpmn.elements.gateways.complex_gateway import ComplexGateway
from bpm.bpmn.elements.gateways.event_gateway import EventBasedGateway
from bpm.bpmn.elements.gateways.gateways import ExclusiveGateway, ParallelGateway
from bpm.bpmn.elements.gateways.inclusive_gateway import InclusiveGateway
from bpm.bpmn.elements.node import Node
from bpm.bpmn.elements.tasks.business_rule_task import BusinessRuleTask
from bpm.bpmn.elements.tasks.manual_task import AbstractTask, ManualTask
from bpm.bpmn.elements.tasks.receive_task import ReceiveTask
from bpm.bpmn.elements.tasks.script_task import ScriptTask
from bpm.bpmn.elements.tasks.send_task import MessageEndEvent, MessageThrowEvent, SendTask
from bpm.bpmn.elements.tasks.service_task import ServiceTask
from bpm.bpmn.elements.tasks.user_task import UserTask

ELEMENTS: Mapping[str, Mapping[str, type[Node]]] = {
    "task": {"": AbstractTask},
    "manualTask": {"": ManualTask},
    "userTask": {"": UserTask},
    "serviceTask": {"": ServiceTask},
    "sendTask": {"": SendTask},
    "receiveTask": {"": ReceiveTask},
    "scriptTask": {"": ScriptTask},
    "businessRuleTask": {"": BusinessRuleTask},
    "callActivity": {"": CallActivity},
    "subProcess": {"": SubProcess},
    "transaction": {"": Transaction},
    "adHocSubProcess": {"": AdHocSubProcess},
    "eventSubProcess": {"": EventSubProcess},
    "exclusiveGateway": {"": ExclusiveGateway},
    "parallelGateway": {"": ParallelGateway},
    "inclusiveGateway": {"": InclusiveGateway},
    "complexGateway": {"": ComplexGateway},
    "eventBasedGateway": {"": EventBasedGateway},
    "startEvent": {
        "": StartEvent,
        "message": MessageStartEvent,
        "signal": SignalStartEvent,
        "timer": TimerStartEvent,
        "conditional": ConditionalStartEvent,
    },
    "eventStart": {
        "message": EventStart,
        "signal": EventStart,
        "timer": EventStart,
        "conditional": EventStart,
        "error": EventStart,
        "escalation": EventStart,
        "compensate": EventStart,
    },
    "boundaryEvent": {
        "message": BoundaryEvent,
        "signal": BoundaryEvent,
        "timer": BoundaryEvent,
        "conditional": BoundaryEvent,
        "error": BoundaryEvent,
        "escalation": BoundaryEvent,
        "cancel": BoundaryEvent,
        "compensate": CompensationBoundaryEvent,
    },
    "intermediateCatchEvent": {
        "message": CatchEvent,
        "signal": CatchEvent,
        "timer": CatchEvent,
        "conditional": CatchEvent,
        "link": LinkCatchEvent,
    },
    "intermediateThrowEvent": {
        "": ThrowEvent,
        "message": MessageThrowEvent,
        "signal": SignalThrowEvent,
        "escalation": EscalationThrowEvent,
        "compensate": CompensationThrowEvent,
        "link": LinkThrowEvent,
    },
    "endEvent": {
        "": EndEvent,
        "message": MessageEndEvent,
        "signal": SignalEndEvent,
        "escalation": EscalationEndEvent,
        "compensate": CompensationEndEvent,
        "error": ErrorEndEvent,
        "cancel": CancelEndEvent,
        "terminate": TerminateEndEvent,
    },
}
"""`eventSubProcess` is a `subProcess` that an event starts, and `eventStart` the `startEvent` inside one."""


def find_node_class(kind: str, event: str) -> type[Node] | None:
    """Return the class for a tag and the kind of its event definition; None for what is not executed."""
    return ELEMENTS.get(kind, {}).get(event)
