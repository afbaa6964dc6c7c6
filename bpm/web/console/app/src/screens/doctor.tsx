// Why a signature was refused, and what to change: the signature doctor, asked by the rule as it is now.

import { useAsk } from "../asking"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"

type Whole = Schemas["InboundRequestDetailView"]

/** Shows what the doctor found; nothing of a request that it can't examine. */
export function Doctor({ request }: { request: Whole }) {
  const found = useAsk({ $type: "ExplainSignatureQuery", requestId: request.requestId }).data
  if (!found) return null
  const { ok, cause, hints, matchingSchemes } = found
  return (
    <section class="card">
      <h2>
        Why the signature was refused
        <Badge state={ok ? "right by now" : found.failed} tone={ok ? "good" : "bad"} />
      </h2>
      <div class="card-body stack">
        {ok ? <p>By the rule as it is now the signature is right: replay the request.</p> : cause !== request.errors?.[0] && <p>{cause}</p>}
        {hints.length > 0 && (
          <ul class="hints">
            {hints.map((hint) => (
              <li key={hint}>{hint}</li>
            ))}
          </ul>
        )}
        {matchingSchemes.length > 0 && <p>With the secret of the rule it fits the scheme {matchingSchemes.join(", ")}.</p>}
      </div>
    </section>
  )
}
