// What a rule was after each change: by whom, when, and what differs from what stands in the form.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import type { Schemas } from "../../types"
import { Button } from "../../ui/button"
import { Failed, Loading } from "../../ui/states"
import { Time } from "../../ui/time"
import { changesBetween, linesOf } from "./changes"
import { configOf, type Fields } from "./draft"

type Revision = Schemas["WebHookConfigRevisionView"]

export function History({ id, fields, onTake }: { id: number; fields: Fields; onTake: (fields: Fields) => void }) {
  const asked = useAsk({ $type: "GetWebHookConfigHistoryQuery", id, pageSize: 50 })
  const [chosen, choose] = useState<Revision>()
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
              {each.author} <Time at={each.createdAt} />
            </span>
          </div>
          <button type="button" class="link" aria-expanded={chosen === each} onClick={() => choose(chosen === each ? undefined : each)}>
            {chosen === each ? "hide" : "compare with the form"}
          </button>
          {chosen === each && <Compared revision={each} fields={fields} onTake={onTake} />}
        </li>
      ))}
    </ol>
  )
}

function Compared({ revision, fields, onTake }: { revision: Revision; fields: Fields; onTake: (fields: Fields) => void }) {
  const changes = changesBetween(linesOf(revision.definition), linesOf(configOf(fields)))
  if (changes.every((change) => change.kind === "same")) return <p class="muted">It is what stands in the form.</p>
  return (
    <div class="stack">
      <pre class="changes" tabIndex={0} aria-label={`Changes since revision ${revision.revision}`}>
        {changes.map(({ kind, text }, index) =>
          kind === "same" ? <span key={index}>{`  ${text}\n`}</span> : kind === "gone" ? <del key={index}>{`- ${text}\n`}</del> : <ins key={index}>{`+ ${text}\n`}</ins>,
        )}
      </pre>
      <div>
        <Button icon="again" onClick={() => onTake({ ...(revision.definition as unknown as Fields), key: fields.key })}>
          Take revision {revision.revision} into the form
        </Button>
      </div>
    </div>
  )
}
