// Driving a captured request again: by its rule as it is now, as it was at a revision, or as a draft would make it.

import { useState } from "preact/hooks"
import { useAsk } from "../asking"
import { send } from "../bus"
import { may } from "../session"
import type { Schemas } from "../types"
import { Confirm } from "../ui/confirm"
import { type Choice, Field, Select } from "../ui/field"

type Whole = Schemas["InboundRequestDetailView"]
type Kind = "now" | "revision" | "draft"

const MOST_OFFERED = 20

interface Question {
  request: Whole
  onClose: () => void
  onDone: () => void
}

export function Replay({ request, onClose, onDone }: Question) {
  const [by, choose] = useState("now")
  const isDone = request.state === "done"
  const mayChoose = request.configId !== null && may("webhooks:write") && may("webhooks:read")
  return (
    <Confirm
      title="Replay this request?"
      action={isDone ? "Do it a second time" : "Replay"}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({ $type: "ReplayInboundRequestCommand", requestId: request.requestId, force: isDone, ...chosen(by) })
        return "Replay requested"
      }}
    >
      <p>{isDone ? "It was executed already. Its effect will happen a second time." : "It is executed as a further attempt of the same request."}</p>
      {mayChoose && <By request={request} value={by} onChoice={choose} />}
    </Confirm>
  )
}

/** Asks by what the request is executed; the rule as it is judges it in any case. */
function By({ request, value, onChoice }: { request: Whole; value: string; onChoice: (value: string) => void }) {
  const id = request.configId as number
  const history = useAsk({ $type: "GetWebHookConfigHistoryQuery", id, pageSize: MOST_OFFERED })
  const drafts = useAsk({ $type: "GetWebHookDraftListQuery", configId: id, pageSize: MOST_OFFERED })
  const [, ...earlier] = history.data?.items ?? []
  const choices: Choice[] = [
    { value: named("now"), label: "its rule, as it is now" },
    ...earlier.map(({ revision }) => ({
      value: named("revision", revision),
      label: `its rule at revision ${revision}${revision === request.revision ? ", as when it came" : ""}`,
    })),
    ...(drafts.data?.items ?? []).map((draft) => ({ value: named("draft", draft.id), label: `the draft by ${draft.author}${draft.comment && `: ${draft.comment}`}` })),
  ]
  return (
    <Field label="Executed by" help={value === named("now") ? undefined : "Whether it is let in says the rule as it is now, with the secrets of now."}>
      {(own) => <Select {...own} value={value} choices={choices} onChoice={onChoice} />}
    </Field>
  )
}

/** Says by what a request was last driven again, where that was not its rule as it was then. */
export function replayedBy({ replayedDraftId, replayedRevision }: Whole): string {
  if (replayedDraftId) return ", by a draft"
  return replayedRevision ? `, by revision ${replayedRevision}` : ""
}

function named(kind: Kind, number?: number): string {
  return number === undefined ? kind : `${kind} ${number}`
}

/** Returns the fields that name what was chosen. */
function chosen(value: string): { revision?: number; draftId?: number } {
  const [kind, number] = value.split(" ")
  if (kind === "now") return {}
  return kind === "draft" ? { draftId: Number(number) } : { revision: Number(number) }
}
