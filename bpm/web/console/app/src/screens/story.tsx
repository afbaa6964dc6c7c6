// A trace as a story: what happened in the order it happened, each part under what caused it.

import type { ComponentChildren } from "preact"
import { to } from "../router"
import type { Schemas } from "../types"
import { Badge, type Tone } from "../ui/badge"
import { duration, elapsed, Time } from "../ui/time"
import { stateOf } from "./instance/state"

type Trace = Schemas["TraceView"]
type Request = NonNullable<Trace["request"]>

interface Entry {
  id: string
  at: string
  kind: "request" | "message" | "event" | "delivery" | "process" | "script"
  title: ComponentChildren
  address?: string | undefined
  state: string
  tone?: Tone
  isBad: boolean
  lines: ComponentChildren[]
  /** The key of what caused it, as far as that is known. */
  under?: string | undefined
}

const DEEPEST = 4
const IDLE_SECONDS = 60
/** A pause that is longer than this is told. */

export function Story({ trace, wanted }: { trace: Trace; wanted?: string }) {
  const told = ordered(entriesOf(trace))
  return (
    <div class="card-body stack">
      {trace.hidden.length > 0 && <p class="notice calm">You may not see: {trace.hidden.join(", ")}.</p>}
      {!told.length && <p class="muted">Nothing of it is here any more.</p>}
      <ol class="story trace">
        {told.map(({ entry, depth }, index) => (
          <Told key={keyOf(entry)} entry={entry} depth={depth} before={told[index - 1]?.entry} isWanted={entry.id === wanted} />
        ))}
      </ol>
      {trace.cut.length > 0 && <p class="muted">There are more {trace.cut.join(" and ")} than are shown.</p>}
    </div>
  )
}

function Told({ entry, depth, before, isWanted }: { entry: Entry; depth: number; before: Entry | undefined; isWanted: boolean }) {
  const pause = pauseBetween(before, entry)
  return (
    <li class={`depth-${depth}${entry.isBad ? " bad" : ""}${isWanted ? " is-wanted" : ""}`}>
      {pause && <p class="pause">{pause} later</p>}
      <div class="told">
        <span class="kind">{entry.kind}</span>
        <strong>{entry.address ? <a href={entry.address}>{entry.title}</a> : <Humps name={entry.title} />}</strong>
        <Badge state={entry.state} {...(entry.tone && { tone: entry.tone })} />
        <span class="muted">
          <Time at={entry.at} age={false} />
        </span>
      </div>
      {entry.lines.map((line, at) => (
        <p key={at} class="muted">
          {line}
        </p>
      ))}
    </li>
  )
}

/** A name such as `PublishEventCommand`, which breaks between its words where it must break. */
function Humps({ name }: { name: ComponentChildren }) {
  return typeof name === "string" ? name.split(/(?<=[a-z])(?=[A-Z])/).map((part, at) => (at ? [<wbr key={at} />, part] : part)) : name
}

function entriesOf(trace: Trace): Entry[] {
  const { request } = trace
  const messages = new Set(trace.messages.map((message) => message.requestId))
  const begun = request && keyOf({ kind: "request", id: request.requestId })
  /** The message that was sent under a request id; the first one has that of the request. */
  const under = (id: string | null | undefined) => (id && messages.has(id) ? keyOf({ kind: "message", id }) : begun || undefined)
  const first = under(trace.correlationId)
  const events = new Map(trace.events.map((event) => [event.id, event.event]))
  return [
    ...(request ? [requestEntry(request)] : []),
    ...trace.messages.map((message): Entry => ({
      id: message.requestId,
      at: message.at,
      kind: "message",
      title: message.type,
      state: message.ok ? "done" : "failed",
      isBad: !message.ok,
      lines: [message.error, `by ${message.principalName}`].filter(Boolean),
      under: message.requestId === trace.correlationId ? begun || undefined : under(message.causationId),
    })),
    ...trace.events.map((event): Entry => ({
      id: event.id,
      at: event.at,
      kind: "event",
      title: event.event,
      address: to("deliveries", { of: event.id }),
      state: "published",
      tone: "good",
      isBad: false,
      lines: [],
      under: first,
    })),
    ...trace.deliveries.map((delivery): Entry => ({
      id: delivery.id,
      at: delivery.at,
      kind: "delivery",
      title: `${events.get(delivery.eventId) ?? "event"} to subscription ${delivery.subscriptionId}`,
      address: to(`deliveries/${delivery.id}`),
      state: delivery.state,
      isBad: delivery.attempts.some((attempt) => !attempt.ok),
      lines: [
        ...delivery.attempts.map((attempt) => `${attempt.number}: ${attempt.error ?? `answered ${attempt.status}`}, ${elapsed(attempt.durationMs / 1000)}`),
        delivery.nextAttemptAt && (
          <>
            next try <Time at={delivery.nextAttemptAt} />
          </>
        ),
      ].filter(Boolean),
      under: keyOf({ kind: "event", id: delivery.eventId }),
    })),
    ...trace.instances.map((instance): Entry => ({
      id: String(instance.instanceId),
      at: instance.at,
      kind: "process",
      title: `${instance.processKey} ${instance.instanceId}`,
      address: to(`processes/${instance.instanceId}`),
      state: stateOf(instance),
      isBad: instance.status === "ERROR",
      lines: instance.tokens.map((token) => (token.problem ? `${token.elementId}: ${token.problem}` : `waits at ${token.elementId} (${token.kind})`)),
      under: instance.parentInstanceId === null ? first : keyOf({ kind: "process", id: String(instance.parentInstanceId) }),
    })),
    ...trace.runs.map((run): Entry => ({
      id: run.runId,
      at: run.at,
      kind: "script",
      title: "run of a script",
      address: to(`scripts/${run.runId}`),
      state: run.failure ? "failed" : "done",
      isBad: run.failure !== null,
      lines: run.failure ? [`${run.failure.line ? `line ${run.failure.line}: ` : ""}${run.failure.message}`] : [],
      under: under(run.requestId),
    })),
  ]
}

function requestEntry(request: Request): Entry {
  const rule = request.configKey ? `rule ${request.configKey}, revision ${request.revision}` : (request.provider ?? "no rule")
  return {
    id: request.requestId,
    at: request.receivedAt,
    kind: "request",
    title: `${request.method} /${request.path}`,
    address: to(`requests/${request.requestId}`),
    state: request.state,
    isBad: request.verdict !== "passed" || (request.errors?.length ?? 0) > 0,
    lines: [
      `from ${request.address}; ${request.verdict}; ${rule}`,
      ...(request.errors ?? []),
      ...request.attempts.filter((each) => each.outcome !== "done").map((each) => `try ${each.number} ${each.outcome}: ${each.errors?.join(" · ") ?? ""}`),
    ],
  }
}

function keyOf({ kind, id }: Pick<Entry, "kind" | "id">): string {
  return `${kind}.${id}`
}

/** Returns each entry behind what caused it, what one thing caused by time, and how deep each stands. */
function ordered(entries: Entry[]): Array<{ entry: Entry; depth: number }> {
  const known = new Set(entries.map(keyOf))
  const followers = new Map<string, Entry[]>()
  for (const entry of entries.toSorted((one, other) => Date.parse(one.at) - Date.parse(other.at))) {
    const cause = entry.under && known.has(entry.under) && entry.under !== keyOf(entry) ? entry.under : ""
    followers.set(cause, [...(followers.get(cause) ?? []), entry])
  }
  const told: Array<{ entry: Entry; depth: number }> = []
  const tell = (cause: string, depth: number) => {
    const found = followers.get(cause) ?? []
    followers.delete(cause)
    for (const entry of found) {
      told.push({ entry, depth: Math.min(depth, DEEPEST) })
      tell(keyOf(entry), depth + 1)
    }
  }
  tell("", 0)
  for (const cause of [...followers.keys()]) tell(cause, 1)
  return told
}

function pauseBetween(before: Entry | undefined, entry: Entry): string | undefined {
  const seconds = before ? (Date.parse(entry.at) - Date.parse(before.at)) / 1000 : 0
  return seconds > IDLE_SECONDS ? duration(seconds) : undefined
}
