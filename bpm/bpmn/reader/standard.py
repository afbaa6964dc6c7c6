"""The attributes that BPMN 2.0.2 gives the elements that we read; anything else without a namespace is a mistake."""

from collections.abc import Mapping

_ALL = frozenset({"id", "name"})
_ACTIVITY = _ALL | {"isForCompensation", "startQuantity", "completionQuantity", "default"}
_GATEWAY = _ALL | {"gatewayDirection"}
_EVENT = _ALL | {"parallelMultiple"}
_EXPRESSION = _ALL | {"language", "evaluatesToTypeRef"}
_EVENTS = {
    "message": {"messageRef", "operationRef"}, "signal": {"signalRef"}, "error": {"errorRef"},
    "escalation": {"escalationRef"}, "compensate": {"activityRef", "waitForCompletion"}, "timer": (),
    "conditional": (), "link": (), "terminate": (), "cancel": (),
}  # fmt: skip

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "process": _ALL | {"processType", "isClosed", "isExecutable", "definitionalCollaborationRef"},
    "sequenceFlow": _ALL | {"sourceRef", "targetRef", "isImmediate"},
    "message": _ALL | {"itemRef"},
    "error": _ALL | {"errorCode", "structureRef"},
    "escalation": _ALL | {"escalationCode", "structureRef"},
    "signal": _ALL | {"structureRef"},
    "startEvent": _EVENT | {"isInterrupting"},
    "intermediateCatchEvent": _EVENT,
    "boundaryEvent": _EVENT | {"attachedToRef", "cancelActivity"},
    "intermediateThrowEvent": _ALL,
    "endEvent": _ALL,
    "task": _ACTIVITY,
    "manualTask": _ACTIVITY,
    "userTask": _ACTIVITY | {"implementation"},
    "serviceTask": _ACTIVITY | {"implementation", "operationRef"},
    "sendTask": _ACTIVITY | {"implementation", "operationRef", "messageRef"},
    "receiveTask": _ACTIVITY | {"implementation", "operationRef", "messageRef", "instantiate"},
    "businessRuleTask": _ACTIVITY | {"implementation"},
    "scriptTask": _ACTIVITY | {"scriptFormat"},
    "callActivity": _ACTIVITY | {"calledElement"},
    "subProcess": _ACTIVITY | {"triggeredByEvent"},
    "adHocSubProcess": _ACTIVITY | {"ordering", "cancelRemainingInstances"},
    "transaction": _ACTIVITY | {"triggeredByEvent", "method"},
    "exclusiveGateway": _GATEWAY | {"default"},
    "inclusiveGateway": _GATEWAY | {"default"},
    "parallelGateway": _GATEWAY,
    "complexGateway": _GATEWAY | {"default"},
    "activationCondition": _EXPRESSION,
    "eventBasedGateway": _GATEWAY | {"instantiate", "eventGatewayType"},
    "standardLoopCharacteristics": _ALL | {"testBefore", "loopMaximum"},
    "multiInstanceLoopCharacteristics": _ALL
    | {"isSequential", "behavior", "oneBehaviorEventRef", "noneBehaviorEventRef"},
    **{f"{kind}EventDefinition": _ALL | frozenset(more) for kind, more in _EVENTS.items()},
    **dict.fromkeys(("timeDuration", "timeDate", "timeCycle", "condition", "conditionExpression"), _EXPRESSION),
    **dict.fromkeys(("loopCardinality", "completionCondition", "loopCondition"), _EXPRESSION),
}
"""By the tag's local name; tags that are not listed have no meaning for execution, or are refused as a whole."""

CHILDREN = frozenset({
    *ATTRIBUTES, "documentation", "extensionElements", "incoming", "outgoing", "script", "laneSet", "dataObject",
    "dataObjectReference", "dataStoreReference", "textAnnotation", "association", "group", "ioSpecification",
    "ioBinding", "property", "auditing", "monitoring", "resourceRole", "performer", "humanPerformer", "potentialOwner",
    "supports", "supportedInterfaceRef", "dataInputAssociation", "dataOutputAssociation", "dataInput", "dataOutput",
    "inputSet", "outputSet", "eventDefinitionRef", "operationRef", "categoryValueRef", "rendering", "loopDataInputRef",
    "loopDataOutputRef", "inputDataItem", "outputDataItem", "complexBehaviorDefinition", "implicitThrowEvent",
    "correlationSubscription", "correlationKey", "callConversation", "artifact", "escalationRef",
})  # fmt: skip
"""The elements that may stand in one of these; any other is a mistake."""

MANY = frozenset({
    *(name for name in ATTRIBUTES if name.endswith(("Event", "Task", "Gateway", "Process", "Activity"))),
    "task", "transaction", "sequenceFlow", "documentation", "incoming", "outgoing", "laneSet", "dataObject",
    "dataObjectReference", "dataStoreReference", "textAnnotation", "association", "group", "ioBinding", "property",
    "resourceRole", "potentialOwner", "supports", "supportedInterfaceRef", "dataInputAssociation",
    "dataOutputAssociation", "dataInput", "dataOutput", "inputSet", "outputSet", "categoryValueRef", "rendering",
    "complexBehaviorDefinition", "implicitThrowEvent", "correlationSubscription", "correlationKey",
    "callConversation", "artifact", "assignment", "sourceRef", "resourceParameterBinding", "eventDefinitionRef",
})  # fmt: skip
"""The elements of which several may stand beside one another."""
