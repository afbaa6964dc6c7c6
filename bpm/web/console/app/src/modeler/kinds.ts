// What an element can be: every kind that the engine executes and that a modeller would draw.

export interface Kind {
  key: string
  label: string
  type: string
  event?: string
  isExpanded?: boolean
}

const event = (key: string, label: string, type: string, kind?: string): Kind => ({
  key,
  label,
  type: `bpmn:${type}`,
  ...(kind && { event: `bpmn:${kind}EventDefinition` }),
})
const plain = (type: string, label: string, more?: Partial<Kind>): Kind => ({ key: type, label, type: `bpmn:${type}`, ...more })

export const ACTIVITIES = [
  plain("ServiceTask", "Service task: sends a command"),
  plain("UserTask", "User task: waits for a person"),
  plain("ScriptTask", "Script task: runs Python"),
  plain("BusinessRuleTask", "Business rule task: asks a decision"),
  plain("SendTask", "Send task: sends a message"),
  plain("ReceiveTask", "Receive task: waits for a message"),
  plain("CallActivity", "Call activity: runs another process"),
  plain("ManualTask", "Manual task"),
  plain("SubProcess", "Sub-process", { isExpanded: true }),
]

export const GATEWAYS = [
  plain("ExclusiveGateway", "Exclusive gateway: one of several"),
  plain("ParallelGateway", "Parallel gateway: all at once"),
  plain("InclusiveGateway", "Inclusive gateway: some of several"),
  plain("EventBasedGateway", "Event-based gateway: what happens first"),
  plain("ComplexGateway", "Complex gateway: by a condition"),
]

export const CATCHES = [
  event("TimerCatch", "Timer: waits for a time", "IntermediateCatchEvent", "Timer"),
  event("MessageCatch", "Message: waits for one", "IntermediateCatchEvent", "Message"),
  event("SignalCatch", "Signal: waits for one", "IntermediateCatchEvent", "Signal"),
  event("ConditionCatch", "Condition: waits until it holds", "IntermediateCatchEvent", "Conditional"),
]

export const THROWS = [
  event("MessageThrow", "Message: sends one", "IntermediateThrowEvent", "Message"),
  event("SignalThrow", "Signal: tells everybody", "IntermediateThrowEvent", "Signal"),
  event("EscalationThrow", "Escalation", "IntermediateThrowEvent", "Escalation"),
]

export const ENDS = [
  event("End", "End", "EndEvent"),
  event("TerminateEnd", "End of everything", "EndEvent", "Terminate"),
  event("ErrorEnd", "End with an error", "EndEvent", "Error"),
  event("MessageEnd", "End with a message", "EndEvent", "Message"),
  event("SignalEnd", "End with a signal", "EndEvent", "Signal"),
  event("EscalationEnd", "End with an escalation", "EndEvent", "Escalation"),
]

export const STARTS = [
  event("Start", "Start", "StartEvent"),
  event("MessageStart", "Start by a message", "StartEvent", "Message"),
  event("TimerStart", "Start by a timer", "StartEvent", "Timer"),
  event("SignalStart", "Start by a signal", "StartEvent", "Signal"),
  event("ConditionStart", "Start by a condition", "StartEvent", "Conditional"),
]

export const BOUNDARIES = [
  event("TimerBoundary", "Timer at it", "BoundaryEvent", "Timer"),
  event("ErrorBoundary", "Error at it", "BoundaryEvent", "Error"),
  event("MessageBoundary", "Message at it", "BoundaryEvent", "Message"),
  event("EscalationBoundary", "Escalation at it", "BoundaryEvent", "Escalation"),
  event("SignalBoundary", "Signal at it", "BoundaryEvent", "Signal"),
  event("ConditionBoundary", "Condition at it", "BoundaryEvent", "Conditional"),
]

const CHANGES = [ACTIVITIES, GATEWAYS, [...CATCHES, ...THROWS], ENDS, STARTS, BOUNDARIES]
const EVERY = [...CHANGES.flat()]

/** Returns what may follow an element of a type. */
export function followers(type: string): Kind[] {
  if (/EndEvent$/.test(type) || !/(Task|Event|Gateway|CallActivity|SubProcess|Transaction)$/.test(type)) return []
  return type === "bpmn:EventBasedGateway" ? [...CATCHES, ...ACTIVITIES.filter((each) => each.key === "ReceiveTask")] : [...ACTIVITIES, ...GATEWAYS, ...CATCHES, ...THROWS, ...ENDS]
}

/** Returns what an element of a type may become. */
export function changesOf(type: string): Kind[] {
  if (type === "bpmn:Task") return ACTIVITIES
  return CHANGES.find((kinds) => kinds.some((kind) => kind.type === type)) ?? []
}

/** Returns what may be put at the edge of an element of a type. */
export function boundariesOf(type: string): Kind[] {
  return /(Task|CallActivity|SubProcess|Transaction)$/.test(type) ? BOUNDARIES : []
}

export function kindNamed(key: string): Kind | undefined {
  return EVERY.find((kind) => kind.key === key)
}
