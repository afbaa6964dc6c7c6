// What events wait for or throw, when flows are taken, and how often an activity is done.

import { TemplateFields } from "../forms/template_fields"
import { Field, Select } from "../ui/field"
import { Check, LateText, Part, Text } from "./fields"
import { parametersOf, withParameters } from "./parameters"
import type { Moddle, Subject } from "./subject"

const THROWN = /^(end|intermediateThrow)Event$/

export function EventPart({ subject }: { subject: Subject }) {
  const { event, kind, definition } = subject
  if (kind === "receiveTask") {
    return (
      <Part title="What it waits for">
        <MessageFields subject={subject} />
      </Part>
    )
  }
  const isThrown = THROWN.test(kind)
  if (!definition || (event === "message" && isThrown)) return null
  return (
    <Part title={isThrown ? "What it throws" : "What it waits for"}>
      <OfKind subject={subject} definition={definition} />
      {kind === "boundaryEvent" && event !== "compensate" && (
        <Check label="It ends the activity" checked={subject.object["cancelActivity"] !== false} onCheck={(cancelActivity) => subject.set({ cancelActivity })} />
      )}
      {kind === "startEvent" && isInEventSubProcess(subject) && (
        <Check label="It ends what surrounds it" checked={subject.object["isInterrupting"] !== false} onCheck={(isInterrupting) => subject.set({ isInterrupting })} />
      )}
    </Part>
  )
}

function isInEventSubProcess({ object }: Subject): boolean {
  return object.$parent?.["triggeredByEvent"] === true
}

function OfKind({ subject, definition }: { subject: Subject; definition: Moddle }) {
  switch (subject.event) {
    case "timer":
      return <Timer subject={subject} definition={definition} />
    case "message":
      return <MessageFields subject={subject} />
    case "signal":
      return <Declared subject={subject} holder={definition} noun="Signal" reference="signalRef" type="bpmn:Signal" />
    case "error":
      return <Declared subject={subject} holder={definition} noun="Error" reference="errorRef" type="bpmn:Error" code="errorCode" />
    case "escalation":
      return <Declared subject={subject} holder={definition} noun="Escalation" reference="escalationRef" type="bpmn:Escalation" code="escalationCode" />
    case "conditional":
      return (
        <Text
          label="Condition"
          isRequired
          value={subject.expression("condition", definition)}
          help="Asked whenever variables are written, as in amount > 100."
          onText={(body) => subject.setExpression("condition", body, definition)}
        />
      )
    case "link":
      return <LateText label="Name of the link" isRequired value={subject.text("name", definition)} onText={(name) => subject.set({ name }, definition)} />
    default:
      return <p class="help">{subject.event === "terminate" ? "Everything that still runs in it ends." : "It needs nothing more."}</p>
  }
}

const TIMES = [
  { value: "timeDuration", label: "a time from then", help: "ISO 8601, such as PT15M or P2D." },
  { value: "timeDate", label: "a moment", help: "Such as 2027-06-01T09:00:00[Europe/Berlin]." },
  { value: "timeCycle", label: "again and again", help: "Such as R3/PT10M, or cron: 0 0 9 * * MON-FRI." },
]

function Timer({ subject, definition }: { subject: Subject; definition: Moddle }) {
  const present = TIMES.find(({ value }) => definition.get(value)) ?? TIMES[0]
  const write = (name: string, body: string) => {
    const made = body ? subject.create("bpmn:FormalExpression", { body }, definition) : undefined
    subject.set({ ...Object.fromEntries(TIMES.map(({ value }) => [value, undefined])), [name]: made }, definition)
  }
  if (!present) return null
  const body = subject.expression(present.value, definition)
  return (
    <>
      <Field label="Waits for">
        {(own) => <Select {...own} value={present.value} choices={TIMES} onChoice={(name) => write(name, body || "PT15M")} />}
      </Field>
      <Text label="Time" isRequired value={body} help={present.help} onText={(text) => write(present.value, text)} />
    </>
  )
}

/** The message of an event or task, by its name and the value that tells instances apart. */
export function MessageFields({ subject, isThrown = false }: { subject: Subject; isThrown?: boolean }) {
  const own = subject.ours("bpm:Message")[0]
  const holder = subject.event === "message" && subject.definition ? subject.definition : subject.object
  const declared = holder.get("messageRef") as Moddle | undefined
  const key = subject.text("bpm:correlationKey") || subject.text("correlationKey", own)
  const parameters = own ? parametersOf(own) : {}
  const writeOwn = (about: object, values: Record<string, unknown>) => {
    const kept = { name: own?.name, ...about }
    subject.setOurs("bpm:Message", kept.name || Object.keys(values).length ? [withParameters(subject, "bpm:Message", kept, values)] : [])
  }
  return (
    <>
      <LateText
        label="Message"
        isRequired
        value={declared?.name ?? own?.name ?? ""}
        help={isThrown ? "The name by which others wait for it." : "The name that CorrelateMessageCommand gives."}
        suggestions={subject.declared("bpmn:Message").map(({ name }) => name ?? "")}
        onText={(name) => {
          if (own?.name) writeOwn({ name }, parameters)
          else subject.refer("messageRef", "bpmn:Message", name, holder)
        }}
      />
      <Text
        label="Correlation key"
        value={key}
        help="What tells this instance from others, as in {{order.id}}."
        onText={(text) => {
          if (own?.["correlationKey"]) writeOwn({}, parameters)
          subject.set({ "bpm:correlationKey": text })
        }}
      />
      {isThrown && <TemplateFields label="What it carries" known={[]} isOpen value={parameters} problems={{}} path="" onValue={(values) => writeOwn({}, values)} />}
    </>
  )
}

interface DeclaredProps {
  subject: Subject
  holder: Moddle
  noun: string
  reference: string
  type: string
  code?: string
}

/** Something that is declared beside the processes, which several events may refer to. */
function Declared({ subject, holder, noun, reference, type, code }: DeclaredProps) {
  const present = holder.get(reference) as Moddle | undefined
  return (
    <>
      <LateText
        label={noun}
        value={present?.name ?? ""}
        help={code ? "One without a code catches, or is, any." : "Every place that waits for this name hears it."}
        suggestions={subject.declared(type).map(({ name }) => name ?? "")}
        onText={(name) => subject.refer(reference, type, name, holder)}
      />
      {code && present && <LateText label="Code" value={subject.text(code, present)} onText={(text) => subject.setDeclared(present, { [code]: text })} />}
    </>
  )
}

const CHOOSING = /^(exclusive|inclusive|complex)Gateway$/

/** When a flow is taken. */
export function FlowPart({ subject }: { subject: Subject }) {
  const source = subject.object["sourceRef"] as Moddle | undefined
  const kind = (source?.$type ?? "").replace("bpmn:", "")
  if (subject.kind !== "sequenceFlow" || !source) return null
  if (/^(ParallelGateway|EventBasedGateway)$/.test(kind)) return <p class="help card-body">Every flow behind this gateway is taken; it has no condition.</p>
  const isDefault = source["default"] === subject.object
  return (
    <Part title="When it is taken">
      {!isDefault && (
        <Text
          label="Condition"
          value={subject.expression("conditionExpression")}
          help="As in amount > 100; without one it is always taken."
          onText={(body) => subject.setExpression("conditionExpression", body)}
        />
      )}
      <Check
        label="Only when no other is"
        checked={isDefault}
        onCheck={(checked) => {
          if (checked) subject.setExpression("conditionExpression", "")
          subject.set({ default: checked ? subject.object : undefined }, source)
        }}
      />
    </Part>
  )
}

export function GatewayPart({ subject }: { subject: Subject }) {
  if (!CHOOSING.test(subject.kind) || subject.outgoing.length < 2) return null
  const present = subject.object["default"] as Moddle | undefined
  return (
    <Part title="Which way">
      <Field label="When no condition holds" help="The conditions stand at the flows.">
        {(own) => (
          <Select
            {...own}
            value={present?.id ?? ""}
            choices={[{ value: "", label: "it is an incident" }, ...subject.outgoing.map((flow) => ({ value: flow.id ?? "", label: wayOf(flow) }))]}
            onChoice={(id) => subject.set({ default: subject.outgoing.find((flow) => flow.id === id) })}
          />
        )}
      </Field>
      {subject.kind === "complexGateway" && (
        <Text
          label="It goes on when"
          value={subject.expression("activationCondition")}
          help="As in activationCount >= 2."
          onText={(body) => subject.setExpression("activationCondition", body)}
        />
      )}
    </Part>
  )
}

function wayOf(flow: Moddle): string {
  const target = flow["targetRef"] as Moddle | undefined
  return [flow.name, `to ${target?.name || target?.id}`].filter(Boolean).join(": ")
}

const LOOPS = [
  { value: "once", label: "once" },
  { value: "parallel", label: "for each, all at once" },
  { value: "sequential", label: "for each, one after another" },
  { value: "while", label: "as long as a condition holds" },
] as const
type Loop = (typeof LOOPS)[number]["value"]

export function LoopPart({ subject }: { subject: Subject }) {
  if (!/(Task|^task|^callActivity|subProcess|SubProcess|transaction)$/.test(subject.kind) || subject.is("triggeredByEvent")) return null
  const { loop } = subject
  const value: Loop = !loop ? "once" : loop.$type === "bpmn:StandardLoopCharacteristics" ? "while" : loop["isSequential"] ? "sequential" : "parallel"
  const choose = (chosen: Loop) => {
    if (loop && chosen !== "while" && value !== "while" && chosen !== "once") return subject.set({ isSequential: chosen === "sequential" }, loop)
    if (chosen === "once") return subject.set({ loopCharacteristics: undefined })
    const type = chosen === "while" ? "bpmn:StandardLoopCharacteristics" : "bpmn:MultiInstanceLoopCharacteristics"
    return subject.set({ loopCharacteristics: subject.create(type, chosen === "sequential" ? { isSequential: true } : {}) })
  }
  return (
    <Part title="How often" about={LOOPS.find((each) => each.value === value)?.label ?? ""} isOpen={value !== "once"}>
      <Field label="It is done">
        {(own) => <Select {...own} value={value} choices={LOOPS} onChoice={(chosen) => choose(chosen as Loop)} />}
      </Field>
      {loop && value === "while" && (
        <>
          <Text label="Again while" isRequired value={subject.expression("loopCondition", loop)} help="As in loopCounter < 3." onText={(body) => subject.setExpression("loopCondition", body, loop)} />
          <Check label="Asked before the first time" checked={subject.is("testBefore", loop)} onCheck={(testBefore) => subject.set({ testBefore }, loop)} />
        </>
      )}
      {loop && value !== "while" && <ForEach subject={subject} loop={loop} />}
    </Part>
  )
}

function ForEach({ subject, loop }: { subject: Subject; loop: Moddle }) {
  const own = (name: string) => ({ value: subject.text(`bpm:${name}`, loop), onText: (text: string) => subject.set({ [`bpm:${name}`]: text }, loop) })
  return (
    <>
      <Text label="For each of" {...own("collection")} help="A list, as in order.lines." />
      <Text label="Called" {...own("item")} help="The variable that holds one of them." />
      <Text label="Or so often" value={subject.expression("loopCardinality", loop)} onText={(body) => subject.setExpression("loopCardinality", body, loop)} />
      <Text label="Until" value={subject.expression("completionCondition", loop)} help="Asked when one is done." onText={(body) => subject.setExpression("completionCondition", body, loop)} />
      <Text label="Results into" {...own("outputCollection")} help="A variable with a list." />
      <Text label="Result of each" {...own("outputItem")} help="An expression." />
    </>
  )
}
