// A dry run: what the rule, as it stands in the form, would do with a request. Nothing is stored and nothing sent.

import { useState } from "preact/hooks"
import { Refused, send } from "../../bus"
import { stringify } from "../../exact_json"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Code, pretty } from "../../ui/code"
import { Refusal } from "../../ui/refusal"
import type { Fields, Subject } from "./draft"
import { SampleRequest, type Sample } from "./sample"

type Trial = Schemas["WebHookTrialView"]
type Outcome = Schemas["OutcomeTrialView"]

interface Props {
  isNew: boolean
  fields: Fields
  subject: Subject
  wanted: string | undefined
  onPayload: (payload: unknown) => void
  onProblems: (sentences: string[]) => void
}

export function TryIt({ isNew, fields, subject, wanted, onPayload, onProblems }: Props) {
  const [sample, setSample] = useState<Sample>()
  const [trial, setTrial] = useState<Trial>()
  const [tried, setTried] = useState("")
  const present = stringify([fields, sample])
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const run = async () => {
    if (!sample) return
    setBusy(true)
    setRefused(undefined)
    try {
      const found = await send({ $type: "TestWebHookConfigCommand", ...subject, ...sample })
      setTrial(found)
      setTried(present)
      onProblems(found.problems)
    } catch (error) {
      setTrial(undefined)
      setRefused(Refused.of(error))
      onProblems(Refused.of(error).errors.map((sentence) => sentence.replace(/^config\./, "")))
    } finally {
      setBusy(false)
    }
  }
  return (
    <div class="stack">
      <SampleRequest ruleKey={isNew ? "" : fields.key} wanted={wanted} onSample={setSample} onPayload={onPayload} />
      <div>
        <Button icon="play" isBusy={isBusy} disabled={!sample} onClick={() => void run()}>
          Try it
        </Button>
      </div>
      <div aria-live="polite" class="stack">
        {refused && <Refusal refused={refused} />}
        {trial && tried !== present && <p class="notice calm">This is from before the last change.</p>}
        {trial && <Found trial={trial} ruleKey={fields.key} />}
      </div>
    </div>
  )
}

function Found({ trial, ruleKey }: { trial: Trial; ruleKey: string }) {
  const { route, verdict, handshake, outcome, errors = [] } = trial
  return (
    <>
      <div class="row">
        {!trial.wouldExecute ? (
          <Badge state="would not be executed" tone="warn" />
        ) : outcome && !outcome.ok ? (
          <Badge state="would fail" tone="bad" />
        ) : (
          <Badge state="would be executed" tone="good" />
        )}
        {trial.problems.length > 0 && <span class="problem">It can't be published as it is.</span>}
      </div>
      <ol class="story">
        <Station name="Address" isBad={!route.matches}>
          {route.matches ? "is this rule's" : "is not this rule's"}
          {route.answeredBy && route.answeredBy !== ruleKey && <>; at present {route.answeredBy} answers there</>}
        </Station>
        {handshake && <Station name="Handshake">is answered with {handshake.status}, and nothing else happens</Station>}
        <Station name="Verdict" isBad={!verdict.passed}>
          {verdict.passed ? "passed" : `${verdict.cause}: ${verdict.detail}`}
        </Station>
        {errors.length > 0 && (
          <Station name="Message" isBad>
            {errors.join(" · ")}
          </Station>
        )}
        {outcome && <Sent outcome={outcome} />}
      </ol>
      {outcome?.ok && outcome.data !== null && <Code label="What it would return" text={pretty(outcome.data)} />}
    </>
  )
}

function Sent({ outcome }: { outcome: Outcome }) {
  const { message, ok, errors = [], sent = [] } = outcome
  return (
    <>
      <Station name={message.type} isBad={!ok}>
        {ok ? "would succeed" : errors.join(" · ")}
        <details>
          <summary>its fields</summary>
          <Code label={`Fields of ${message.type}`} text={pretty(message.fields)} />
        </details>
      </Station>
      {sent.map((inner, index) => (
        <Sent key={index} outcome={inner} />
      ))}
    </>
  )
}

function Station({ name, isBad = false, children }: { name: string; isBad?: boolean; children: preact.ComponentChildren }) {
  return (
    <li class={isBad ? "bad" : ""}>
      <strong>{name}</strong>
      <div class="muted">{children}</div>
    </li>
  )
}
