// A request that went wrong beside the newest one of its rule that was done: what its body has otherwise.

import { useAsk } from "../../asking"
import { parse } from "../../exact_json"
import { to } from "../../router"
import type { Schemas } from "../../types"
import { Failed, Loading } from "../../ui/states"
import { Time } from "../../ui/time"
import { Differences } from "../rule/history"

type Whole = Schemas["InboundRequestDetailView"]

export function LastGood({ request }: { request: Whole }) {
  const newest = useAsk({ $type: "GetInboundRequestListQuery", configId: request.configId ?? null, state: "done", pageSize: 1 })
  const [first] = newest.data?.items ?? []
  const whole = useAsk(first ? { $type: "GetInboundRequestByIdQuery", requestId: first.requestId } : null)
  const error = newest.error ?? whole.error
  if (error) return <Failed error={error} onAgain={newest.error ? newest.again : whole.again} />
  if (newest.data && !first) return <p class="muted">None of its rule was done yet.</p>
  if (!whole.data) return <Loading rows={4} />
  return (
    <div class="stack">
      <p class="muted">
        From <a href={to(`requests/${whole.data.requestId}`)}>the newest that was done</a>, received <Time at={whole.data.receivedAt} />, to this one:
      </p>
      <Differences label="What differs from the newest that was done" before={shapeOf(whole.data)} after={shapeOf(request)} same="Its body is the same: look at the headers, and at what came of it." />
    </div>
  )
}

function shapeOf({ body, query }: Whole): object {
  return { body: parsed(body), ...(Object.keys(query).length > 0 && { query }) }
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return text
  }
}
