// One run of a script: what it was given, what it sent, what it came to; run once more, changed or as it was.

import { useState } from "preact/hooks"
import { useAsk } from "../asking"
import { Refused, send } from "../bus"
import { ScriptField } from "../editors/script"
import { to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import { Button } from "../ui/button"
import { Code, pretty } from "../ui/code"
import { Facts } from "../ui/facts"
import { Page } from "../ui/page"
import { Refusal } from "../ui/refusal"
import { Failed, Loading } from "../ui/states"
import { Time } from "../ui/time"

type Run = Schemas["RecordedRunDetailView"]
type Again = Schemas["CodeReplayView"]

export function RunScreen({ id }: { id: string }) {
  const asked = useAsk({ $type: "GetCodeRunByIdQuery", runId: id })
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  return <RunPage run={asked.data} />
}

function RunPage({ run }: { run: Run }) {
  return (
    <Page
      name="Run of a script"
      title={
        <span class="row">
          <span>Run of a script</span>
          <Badge state={run.failure ? "failed" : "done"} />
        </span>
      }
      back={{ label: "Scripts", address: "#/scripts" }}
      actions={
        may("traces:read") && (
          <a class="button" href={to(`trace/${run.runId}`)}>
            What it belongs to
          </a>
        )
      }
    >
      {run.failure && <div class="notice">{sentenceOf(run.failure)}</div>}
      <section class="card card-body">
        <Facts
          facts={[
            ["Ran", <Time at={run.createdAt} />],
            ["For", <RuleOf run={run} />],
            ["Messages sent", run.sends],
            ["Processor time", `${(run.cpuSeconds * 1000).toFixed(1)} ms`],
            ["Memory at most", `${(run.peakMemoryBytes / 2 ** 20).toFixed(1)} MiB`],
            ["Id", <code>{run.runId}</code>],
          ]}
        />
      </section>
      {run.code ? <Recorded run={run} code={run.code} /> : <p class="muted">Its script and its inputs were too large to be kept, so it can't be run again.</p>}
    </Page>
  )
}

function Recorded({ run, code }: { run: Run; code: string }) {
  const mayReplay = may("code:write") && run.replayable
  return (
    <div class="columns wide-left">
      {mayReplay ? <Replaying run={run} code={code} /> : <Code label="Script" text={code} />}
      <div class="stack">
        {run.outcome && <Code label="What it came to" text={pretty(run.outcome)} />}
        {run.sent && run.sent.length > 0 && <Sent sent={run.sent} />}
        {run.inputs && <Code label="What it was given" text={pretty(run.inputs)} />}
      </div>
    </div>
  )
}

function Replaying({ run, code }: { run: Run; code: string }) {
  const [text, setText] = useState(code)
  const [again, setAgain] = useState<Again>()
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const replay = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      setAgain(await send({ $type: "ReplayCodeCommand", runId: run.runId, ...(text !== code && { code: text }) }))
    } catch (error) {
      setAgain(undefined)
      setRefused(Refused.of(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <section class="card">
      <h2>Script</h2>
      <div class="card-body stack">
        <ScriptField label="Script" text={code} shape={run.inputs ?? {}} onText={setText} />
        <div class="row">
          <Button kind="main" icon="play" isBusy={isBusy} onClick={() => void replay()}>
            {text === code ? "Run it once more" : "Run it changed"}
          </Button>
          <span class="muted">With what it was given then. Nothing is sent: its messages get the answers of then.</span>
        </div>
        <div class="stack" aria-live="polite">
          {refused && <Refusal refused={refused} />}
          {again && <Outcome again={again} />}
        </div>
      </div>
    </section>
  )
}

function Outcome({ again }: { again: Again }) {
  return (
    <>
      <div class="row">
        <Badge state={again.isSame ? "as it was" : "not as it was"} tone={again.isSame ? "good" : "warn"} />
        {again.failure && <span class="problem">{sentenceOf(again.failure)}</span>}
      </div>
      {again.differences.length > 0 && (
        <ul class="plain-list">
          {again.differences.map((difference) => (
            <li key={difference}>{difference}</li>
          ))}
        </ul>
      )}
      {again.run && <Code label="What it comes to now" text={pretty({ result: again.run.result, reply: again.run.reply, variables: again.run.variables, logs: again.run.logs })} />}
    </>
  )
}

function Sent({ sent }: { sent: NonNullable<Run["sent"]> }) {
  return (
    <section class="card">
      <h2>What it sent</h2>
      <ol class="card-body plain-list">
        {sent.map(({ command, atEnd, refused }, index) => (
          <li key={index} class="row">
            {command} <Badge state={refused ? "refused" : "done"} tone={refused ? "bad" : "good"} />
            {atEnd && <span class="muted">at its end</span>}
          </li>
        ))}
      </ol>
    </section>
  )
}

function RuleOf({ run }: { run: Run }) {
  const [, id, revision] = /^(\d+):(\d+)$/.exec(run.rule ?? "") ?? []
  if (!id || !may("webhooks:read")) return <>{run.rule ?? run.sender}</>
  return <a href={to(`rules/${id}`)}>{`rule ${id}, revision ${revision}`}</a>
}

function sentenceOf({ line, message }: { line?: number | null; message: string }): string {
  return line ? `Line ${line}: ${message}` : message
}
