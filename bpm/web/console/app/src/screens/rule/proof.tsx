// What shows that a rule is right before it is live: what it changes, a dry run, a back-test, and what it was before.

import { useState } from "preact/hooks"
import { place } from "../../router"
import { may } from "../../session"
import { Tabs } from "../../ui/tabs"
import { BackTest } from "./backtest"
import type { Fields, Rule, Subject } from "./draft"
import { DraftChanges } from "./drafts"
import { History } from "./history"
import { SendOne } from "./send_one"
import { TryIt } from "./trial"

type ProofKind = "changes" | "try" | "send" | "backtest" | "history"

interface Props {
  rule: Rule | undefined
  isDraft: boolean
  isReviewed: boolean
  fields: Fields
  subject: Subject
  onPayload: (payload: unknown) => void
  onProblems: (sentences: string[]) => void
  onTake: (fields: Fields) => void
  onSaved: () => void
}

export function Proof({ rule, isDraft, isReviewed, fields, subject, onPayload, onProblems, onTake, onSaved }: Props) {
  const mayTry = may("webhooks:write")
  const [kind, setKind] = useState<ProofKind>(isDraft ? "changes" : mayTry ? "try" : "history")
  const tabs: Array<{ key: ProofKind; label: string } | false> = [
    isDraft && { key: "changes", label: "Changes" },
    mayTry && { key: "try", label: "Try it" },
    mayTry && rule !== undefined && !isDraft && { key: "send", label: "Send one" },
    mayTry && may("inbound:read") && { key: "backtest", label: "Back-test" },
    rule !== undefined && { key: "history", label: "History" },
  ]
  return (
    <section class="card proof" aria-label="Proof">
      <div class="card-head">
        <Tabs label="Proof" value={kind} onTab={setKind} tabs={tabs.filter((tab) => tab !== false)} />
      </div>
      <div class="card-body">
        <div hidden={kind !== "try"}>
          {mayTry && <TryIt isNew={!rule} fields={fields} subject={subject} wanted={place.value.filters["request"]} onPayload={onPayload} onProblems={onProblems} />}
        </div>
        {kind === "changes" && <DraftChanges rule={rule} fields={fields} />}
        {kind === "send" && rule && <SendOne rule={rule} />}
        {kind === "backtest" && <BackTest subject={subject} />}
        {kind === "history" && rule && <History rule={rule} fields={fields} isReviewed={isReviewed} onTake={onTake} onRestored={onSaved} />}
      </div>
    </section>
  )
}
