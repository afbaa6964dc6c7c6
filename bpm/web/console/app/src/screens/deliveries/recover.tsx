// Deliveries of a subscription that failed, or never were, since a moment: counted first, then sent.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { send } from "../../bus"
import { time } from "../../clock"
import type { Message } from "../../types"
import { Confirm } from "../../ui/confirm"
import { Field, Input } from "../../ui/field"
import { Refusal } from "../../ui/refusal"
import { Segments } from "../../ui/segments"
import type { Question } from "./actions"

type Recovery = Extract<Message, { $type: "RecoverFailedDeliveriesCommand" }>
type Kind = "dead" | "missing"

const KINDS = [
  { value: "dead", label: "What failed", about: "Deliveries that died after all their attempts." },
  { value: "missing", label: "What it never got", about: "Events it wants by now and has no delivery of." },
] as const
const DAY = 86_400_000

export function Recover({ subscription, ...question }: Question) {
  const [kind, setKind] = useState<Kind>("dead")
  const [since, setSince] = useState(() => localMinute(time() - DAY))
  const [until] = useState(() => new Date(time()).toISOString())
  const moment = Date.parse(since)
  const recovery: Recovery | null = Number.isNaN(moment)
    ? null
    : { $type: "RecoverFailedDeliveriesCommand", subscriptionId: subscription.id, since: new Date(moment).toISOString(), until, missing: kind === "missing" }
  const counted = useAsk(recovery && { ...recovery, preview: true })
  const found = counted.data?.found ?? 0
  const isCounted = recovery !== null && !counted.isLoading && counted.data !== undefined && !counted.error
  const many = counted.data?.goesOn ? `${found.toLocaleString()} or more` : found.toLocaleString()
  return (
    <Confirm
      title="Send again"
      action={isCounted ? `Send ${many}` : "Send"}
      isReady={isCounted && (found > 0 || counted.data?.goesOn === true)}
      {...question}
      onAct={async () => {
        if (recovery) await send(recovery)
        return "They are on their way"
      }}
    >
      <Segments label="What" value={kind} choices={KINDS} onChoice={setKind} />
      <Field label="Since" problem={recovery ? undefined : "A date and a time."}>
        {(own) => <Input {...own} type="datetime-local" value={since} onText={setSince} />}
      </Field>
      {counted.error && <Refusal refused={counted.error} />}
      <p class="muted" role="status">
        {isCounted ? `${many} until now. What fails from now on is not among them.` : recovery && !counted.error && "Counting."}
      </p>
    </Confirm>
  )
}

/** Returns a moment as the browser's field for local time wants it. */
function localMinute(at: number): string {
  const moved = new Date(at - new Date(at).getTimezoneOffset() * 60_000)
  return moved.toISOString().slice(0, 16)
}
