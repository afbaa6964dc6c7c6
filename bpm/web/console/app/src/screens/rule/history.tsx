// What a rule was after each change: by whom, when, and what differs from what stands in the form.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { send } from "../../bus"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Failed, Loading } from "../../ui/states"
import { Time } from "../../ui/time"
import { changesBetween, inSight, linesOf } from "./changes"
import { configOf, type Fields, type Rule } from "./draft"

type Revision = Schemas["WebHookConfigRevisionView"]

interface Props {
  rule: Rule
  fields: Fields
  isReviewed: boolean
  onTake: (fields: Fields) => void
  onRestored: () => void
}

export function History({ rule, fields, isReviewed, onTake, onRestored }: Props) {
  const asked = useAsk({ $type: "GetWebHookConfigHistoryQuery", id: rule.id, pageSize: 50 })
  const [chosen, choose] = useState<Revision>()
  const [restored, restore] = useState<Revision>()
  const mayRestore = may("webhooks:write") && !isReviewed
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={3} />
  return (
    <ol class="story">
      {asked.data.items.map((each) => (
        <li key={each.revision}>
          <div class="row">
            <strong>
              {each.revision} · {each.change}
            </strong>
            <span class="muted">
              {each.draftedBy && each.draftedBy !== each.author ? `${each.draftedBy}, published by ${each.author}` : each.author} <Time at={each.createdAt} />
            </span>
          </div>
          {each.comment && <p class="muted">{each.comment}</p>}
          <button type="button" class="link" aria-expanded={chosen === each} onClick={() => choose(chosen === each ? undefined : each)}>
            {chosen === each ? "hide" : "compare with the form"}
          </button>
          {chosen === each && (
            <div class="stack">
              <Differences label={`Changes since revision ${each.revision}`} before={each.definition} after={configOf(fields)} same="It is what stands in the form." />
              <div class="row">
                <Button icon="again" onClick={() => onTake({ ...(each.definition as unknown as Fields), key: fields.key })}>
                  Take revision {each.revision} into the form
                </Button>
                {mayRestore && each.revision !== rule.revision && <Button onClick={() => restore(each)}>Restore</Button>}
              </div>
            </div>
          )}
        </li>
      ))}
      {restored && (
        <Confirm
          title={`Go back to revision ${restored.revision}?`}
          action="Restore"
          onAct={async () => (await send({ $type: "RestoreWebHookConfigCommand", id: rule.id, revision: restored.revision, present: rule.revision }), "Restored")}
          onClose={() => restore(undefined)}
          onDone={onRestored}
        >
          <p>The rule becomes what it was then, with the secrets that it has now, and acts for you from then on. That is a new revision: nothing of its history is lost.</p>
        </Confirm>
      )}
    </ol>
  )
}

const SIGNS = { same: " ", gone: "-", new: "+", "left out": "…" }

/** Two definitions, line by line, where they differ. */
export function Differences({ label, before, after, same }: { label: string; before: object; after: object; same: string }) {
  const changes = changesBetween(linesOf(before), linesOf(after))
  if (changes.every((change) => change.kind === "same")) return <p class="muted">{same}</p>
  return (
    <pre class="changes" tabIndex={0} aria-label={label}>
      {inSight(changes).map(({ kind, text }, index) => {
        const Line = kind === "gone" ? "del" : kind === "new" ? "ins" : "span"
        return <Line key={index} class={kind === "left out" ? "muted" : ""}>{`${SIGNS[kind]} ${text}\n`}</Line>
      })}
    </pre>
  )
}
