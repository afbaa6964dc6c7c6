// A back-test: which captured requests would fare otherwise under the rule as it stands in the form.

import { useEffect, useState } from "preact/hooks"
import { Refused, send } from "../../bus"
import { to } from "../../router"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Field, Select } from "../../ui/field"
import { Refusal } from "../../ui/refusal"
import type { Subject } from "./draft"

type Found = Schemas["BackTestView"]
type Changed = Schemas["ChangedRequestView"]

const COUNTS = [100, 1_000, 10_000]
const SHOWN = 50
const AGAIN_MS = 1_000
const MEANS: Record<string, string> = {
  same: "as before",
  accepted: "taken now, refused then",
  refused: "refused now, taken then",
  cause: "refused for another reason",
  message: "another message",
  fields: "the same message with other fields",
  failing: "fails now",
  mended: "failed then, not now",
  unknown: "can't be said",
}

export function BackTest({ subject }: { subject: Subject }) {
  const [count, setCount] = useState(COUNTS[0] ?? 100)
  const [found, setFound] = useState<Found>()
  const [refused, setRefused] = useState<Refused>()
  const isOpen = found?.state === "waiting" || found?.state === "running"
  const asking = async (ask: () => Promise<Found>) => {
    try {
      setFound(await ask())
      setRefused(undefined)
    } catch (error) {
      setFound(undefined)
      setRefused(Refused.of(error))
    }
  }
  const begin = () => asking(() => send({ $type: "BackTestWebHookConfigCommand", ...subject, count, limit: SHOWN }))

  useEffect(() => {
    if (!isOpen || !found?.backTestId) return undefined
    const { backTestId } = found
    const timer = setTimeout(() => void asking(() => send({ $type: "GetBackTestQuery", backTestId, limit: SHOWN })), AGAIN_MS)
    return () => clearTimeout(timer)
  }, [found])

  return (
    <div class="stack">
      <p class="muted">Compares what was done with captured requests with what the rule would do as it stands here. Nothing is executed.</p>
      <div class="row keep">
        <Field label="How many">
          {(own) => (
            <Select
              {...own}
              value={String(count)}
              choices={COUNTS.map((each) => ({ value: String(each), label: `the newest ${each.toLocaleString()}` }))}
              onChoice={(chosen) => setCount(Number(chosen))}
            />
          )}
        </Field>
        <Button icon="play" isBusy={isOpen} onClick={() => void begin()}>
          Back-test
        </Button>
      </div>
      <div aria-live="polite" class="stack">
        {refused && <Refusal refused={refused} />}
        {isOpen && (
          <label class="stack">
            <span>
              {(found.compared ?? 0).toLocaleString()} of {(found.total ?? count).toLocaleString()} compared
            </span>
            <progress max={found.total ?? count} value={found.compared ?? 0} />
          </label>
        )}
        {found?.error && <p class="notice">{found.error}</p>}
        {found?.state === "done" && <Result found={found} />}
      </div>
    </div>
  )
}

function Result({ found }: { found: Found }) {
  if (!found.compared) return <p class="muted">No request was captured for this rule or at its address, so there is nothing to compare.</p>
  const counts = Object.entries(found.counts).filter(([, count]) => count > 0)
  return (
    <>
      <div class="row">
        <Badge state={found.changedCount ? `${found.changedCount} would change` : "nothing would change"} tone={found.changedCount ? "warn" : "good"} />
        <span class="muted">of {found.compared.toLocaleString()} requests</span>
      </div>
      <ul class="plain-list">
        {counts.map(([change, count]) => (
          <li key={change}>
            <strong>{count.toLocaleString()}</strong> {MEANS[change] ?? change}
          </li>
        ))}
        {Object.entries(found.unchecked).map(([what, count]) => (
          <li key={what} class="muted">
            {count} without a look at {what}, because what proves it is never stored
          </li>
        ))}
      </ul>
      <ol class="story">
        {found.changed.map((each) => (
          <Difference key={each.requestId} each={each} />
        ))}
      </ol>
      {found.changedCount > found.changed.length && <p class="muted">The first {found.changed.length} are shown.</p>}
    </>
  )
}

function Difference({ each }: { each: Changed }) {
  const { fields = [] } = each
  return (
    <li class={each.change === "mended" || each.change === "accepted" ? "" : "bad"}>
      <div class="row">
        <strong>{MEANS[each.change] ?? each.change}</strong>
        <a href={to(`requests/${each.requestId}`)}>
          {each.method} /{each.path}
        </a>
      </div>
      <p class="muted">
        {fields.length > 0 ? (
          `${each.now.messageType ?? "The message"} differs in ${fields.join(", ")}`
        ) : (
          <>
            <del>{fate(each.then)}</del> <ins>{fate(each.now)}</ins>
          </>
        )}
      </p>
    </li>
  )
}

function fate({ verdict, detail, messageType, error }: Changed["now"]): string {
  return [verdict === "passed" ? (messageType ?? "passed") : verdict, error ?? detail].filter(Boolean).join(": ")
}
