// One request: what it was, what was decided, what became of it, and what can be done about it.

import { useEffect, useState } from "preact/hooks"
import { useAsk } from "../asking"
import { send } from "../bus"
import { curlOf } from "../curl"
import { lazy } from "../lazy"
import { to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge, toneOf } from "../ui/badge"
import { Button } from "../ui/button"
import { Code, copy, formatted, pretty } from "../ui/code"
import { Confirm } from "../ui/confirm"
import { Facts } from "../ui/facts"
import { Field, Input } from "../ui/field"
import { Page } from "../ui/page"
import { Failed, Loading } from "../ui/states"
import { Tabs } from "../ui/tabs"
import { Time } from "../ui/time"
import { Doctor } from "./doctor"
import { Replay, replayedBy } from "./replay"
import { Resend } from "./resend"
import { Story } from "./story"

type Whole = Schemas["InboundRequestDetailView"]
type Part = "body" | "raw" | "headers" | "result" | "attempts" | "good"

const LastGood = lazy(async () => (await import("./comparison/last_good")).LastGood)
const OPEN = ["pending", "running"]
const MOVING = [...OPEN, "failed"]
/** What becomes something else by itself. */
const WENT_WRONG = ["failed", "dead", "rejected", "quarantined"]

export function RequestScreen({ id }: { id: string }) {
  const [isMoving, setMoving] = useState(false)
  const asked = useAsk({ $type: "GetInboundRequestByIdQuery", requestId: id }, isMoving ? 2 : 0)
  const state = asked.data?.state
  useEffect(() => setMoving(state !== undefined && MOVING.includes(state)), [state])
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  return <Request request={asked.data} onChange={asked.again} />
}

function Request({ request, onChange }: { request: Whole; onChange: () => void }) {
  const problem = request.errors?.[0]
  return (
    <Page
      name={`${request.method} /${request.path}`}
      title={
        <span class="row">
          <span>
            {request.method} /{request.path}
          </span>
          <Badge state={request.state} />
        </span>
      }
      back={{ label: "Requests", address: "#/requests" }}
      actions={<Actions request={request} onChange={onChange} />}
    >
      {problem && (
        <div class="notice">
          <span>{request.errors?.join(" · ")}</span>
          {request.configId !== null && may("webhooks:read") && <a href={to(`rules/${request.configId}`, { request: request.requestId })}>Look at its rule</a>}
        </div>
      )}
      {request.duplicateOf && (
        <div class="notice calm">
          <span>
            It repeats a request that was executed already: it got <a href={to(`requests/${request.duplicateOf}`)}>the first one</a>'s answer again, and nothing happened a second time.
          </span>
        </div>
      )}
      <section class="card card-body">
        <Facts
          facts={[
            ["Received", <Time at={request.receivedAt} />],
            ["From", request.address],
            ["Verdict", <Badge state={request.verdict} tone={request.verdict === "passed" ? "good" : toneOf(request.state)} />],
            ["Rule", <RuleOf request={request} />],
            ["Sent on the bus", request.messageType],
            ["Answered with", request.answerStatus],
            request.nextAttemptAt ? ["Next try", <Time at={request.nextAttemptAt} />] : null,
            request.duplicateOf ? ["Repeats", <a href={to(`requests/${request.duplicateOf}`)}>{request.duplicateOf}</a>] : null,
            request.resentOf
              ? [
                  "Made by hand",
                  <>
                    by {request.resentBy}, of <a href={to(`requests/${request.resentOf}`)}>{request.resentOf}</a>
                  </>,
                ]
              : null,
            request.replayCount
              ? ["Driven again", `${request.replayCount === 1 ? "once" : `${request.replayCount} times, last`} by ${request.replayedBy}${replayedBy(request)}`]
              : null,
            ["Id", <code>{request.requestId}</code>],
          ]}
        />
      </section>
      {request.verdict === "signature" && <Doctor request={request} />}
      <div class="columns">
        <Contents request={request} />
        <Followed request={request} />
      </div>
    </Page>
  )
}

/** What came of it: the whole trace where it may be seen, or what the request itself tells. */
function Followed({ request }: { request: Whole }) {
  const trace = useAsk(may("traces:read") ? { $type: "GetTraceQuery", id: request.requestId } : null, MOVING.includes(request.state) ? 2 : 0)
  if (trace.data) {
    return (
      <section class="card">
        <h2>What came of it</h2>
        <Story trace={trace.data} />
      </section>
    )
  }
  return (
    <section class="card">
      <h2>What happened</h2>
      <ol class="story card-body">
        {request.timeline.map((entry, index) => (
          <li key={index} class={isBad(entry.detail) ? "bad" : ""}>
            <div class="row">
              <strong>{entry.event}</strong>
              <span class="muted">
                <Time at={entry.at} age={false} />
              </span>
            </div>
            <p class="muted">{entry.detail}</p>
          </li>
        ))}
      </ol>
    </section>
  )
}

function Contents({ request }: { request: Whole }) {
  const [part, setPart] = useState<Part>("body")
  const isCompared = request.configId !== null && WENT_WRONG.includes(request.state) && !request.bodyPruned
  return (
    <section class="stack">
      <Tabs
        label="Parts of the request"
        value={part}
        onTab={setPart}
        tabs={[
          { key: "body", label: "Body" },
          { key: "raw", label: "As it came" },
          { key: "headers", label: "Headers", count: Object.keys(request.headers).length },
          { key: "result", label: "Result" },
          { key: "attempts", label: "Attempts", count: request.attempts.length },
          ...(isCompared ? [{ key: "good" as const, label: "Compare" }] : []),
        ]}
      />
      {part === "body" && <Body request={request} text={formatted(request.body)} />}
      {part === "raw" && <Body request={request} text={request.body} />}
      {part === "headers" && <Headers request={request} />}
      {part === "result" &&
        (request.result === null ? <p class="muted">There is no result.</p> : <Code label="Result" text={pretty(request.result)} />)}
      {part === "attempts" && <Attempts attempts={request.attempts} />}
      {part === "good" && <LastGood request={request} />}
    </section>
  )
}

function Body({ request, text }: { request: Whole; text: string }) {
  if (request.bodyPruned) return <p class="muted">The body was pruned, as the settings of retention say.</p>
  if (!text) return <p class="muted">{request.duplicateOf ? "Of a repetition only the headers are kept." : "The body is empty."}</p>
  return <Code label={request.bodyEncoding === "base64" ? "Body, as base64" : "Body"} text={text} />
}

function Headers({ request }: { request: Whole }) {
  const query = Object.entries(request.query)
  return (
    <>
      <Code label="Headers" text={Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`).join("\n")} />
      {query.length > 0 && <Code label="Query" text={query.map(([name, value]) => `${name}=${String(value)}`).join("\n")} />}
    </>
  )
}

function Attempts({ attempts }: { attempts: Whole["attempts"] }) {
  if (!attempts.length) return <p class="muted">What succeeds at once leaves no attempts.</p>
  return (
    <ol class="story card card-body">
      {attempts.map((attempt) => (
        <li key={`${attempt.replay}.${attempt.number}`} class={attempt.outcome === "done" ? "" : "bad"}>
          <div class="row">
            <strong>
              {attempt.number} <Badge state={attempt.outcome} />
            </strong>
            <span class="muted">
              <Time at={attempt.startedAt} /> on {attempt.worker}
            </span>
          </div>
          {attempt.errors?.map((sentence) => (
            <p key={sentence}>{sentence}</p>
          ))}
        </li>
      ))}
    </ol>
  )
}

function Actions({ request, onChange }: { request: Whole; onChange: () => void }) {
  const [question, ask] = useState<"replay" | "discard" | "resend">()
  const mayWrite = may("inbound:write")
  const isOpen = OPEN.includes(request.state)
  return (
    <>
      <Button kind="quiet" icon="copy" onClick={() => void copy(sameAgain(request))}>
        as curl
      </Button>
      {mayWrite && request.verdict !== "discarded" && (
        <Button kind="danger" onClick={() => ask("discard")}>
          Discard
        </Button>
      )}
      {mayWrite && may("webhooks:write") && request.configId !== null && <Button onClick={() => ask("resend")}>Edit and resend</Button>}
      {mayWrite && !isOpen && (
        <Button kind="main" icon="again" onClick={() => ask("replay")}>
          Replay
        </Button>
      )}
      {question === "replay" && <Replay request={request} onClose={() => ask(undefined)} onDone={onChange} />}
      {question === "resend" && <Resend request={request} onClose={() => ask(undefined)} />}
      {question === "discard" && <Discard request={request} onClose={() => ask(undefined)} onDone={onChange} />}
    </>
  )
}

interface Question {
  request: Whole
  onClose: () => void
  onDone: () => void
}

function Discard({ request, onClose, onDone }: Question) {
  const [reason, setReason] = useState("")
  return (
    <Confirm
      title="Discard this request?"
      action="Discard"
      isDanger
      isReady={reason.trim() !== ""}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => (await send({ $type: "DiscardInboundRequestCommand", requestId: request.requestId, reason }), "Discarded")}
    >
      <p>It is neither tried nor driven again.</p>
      <Field label="Why" isRequired help="Stands with the request, beside your name.">
        {(own) => <Input {...own} autofocus value={reason} onText={setReason} />}
      </Field>
    </Confirm>
  )
}

function RuleOf({ request }: { request: Whole }) {
  if (request.provider) return <>{request.provider}</>
  if (!request.configKey) return <>none</>
  const told = `${request.configKey}, revision ${request.revision}`
  if (request.configId === null || !may("webhooks:read")) return <>{told}</>
  return <a href={to(`rules/${request.configId}`, { request: request.requestId })}>{told}</a>
}

function isBad(detail: string): boolean {
  return /fail|dead|reject|quarantin/i.test(detail)
}

const NOT_SENT = ["host", "content-length", "content-encoding", "connection", "accept-encoding", "transfer-encoding"]
/** What curl says by itself, and what was of the body as it came, which is shown expanded. */

/** Returns a command that sends the same again; what is hidden must be filled in. */
function sameAgain(request: Whole): string {
  const headers = Object.fromEntries(Object.entries(request.headers).filter(([name]) => !NOT_SENT.includes(name)))
  const query = Object.entries(request.query).flatMap(([name, value]) => [value].flat().map((each) => [name, each]))
  const asked = query.length ? `?${new URLSearchParams(query)}` : ""
  const url = new URL(`../api/webhooks/${request.path}${asked}`, location.href).href
  return curlOf({ method: request.method, url, headers, body: request.body })
}
