// A captured request sent once more with other words: as a new request, which says of which it was made.

import { useState } from "preact/hooks"
import { send } from "../bus"
import { go, to } from "../router"
import type { Schemas } from "../types"
import { formatted } from "../ui/code"
import { Confirm } from "../ui/confirm"
import { Field, Input, TextArea } from "../ui/field"
import { headersOf } from "./rule/headers"

type Whole = Schemas["InboundRequestDetailView"]

export function Resend({ request, onClose }: { request: Whole; onClose: () => void }) {
  const isText = request.bodyEncoding === "text"
  const before = isText ? formatted(request.body) : request.body
  const [body, setBody] = useState(before)
  const [headers, setHeaders] = useState("")
  const [query, setQuery] = useState<string>()
  return (
    <Confirm
      title="Edit and resend"
      action="Send it"
      isWide
      onClose={onClose}
      onDone={() => undefined}
      onAct={async () => {
        const made = await send({
          $type: "ResendInboundRequestCommand",
          requestId: request.requestId,
          ...(body !== before && { body, bodyEncoding: request.bodyEncoding }),
          ...(query !== undefined && { query }),
          ...(headers.trim() && { headers: headersOf(headers) }),
        })
        go(to(`requests/${made.requestId}`))
        return "Sent as a new request"
      }}
    >
      <p>It becomes a new request to the rule as it is now, marked as made by hand. No signature proves it, and its effect is real.</p>
      <Field
        label={isText ? "Body" : "Body, as base64"}
        help={body.includes("***") && body !== before ? "Stars stand for what is hidden: an edited body is sent with them." : "Unchanged, it is sent as it came, with what is hidden in it."}
      >
        {(own) => <TextArea {...own} autofocus rows={10} spellcheck={false} value={body} onText={setBody} />}
      </Field>
      <Field label="Further headers" help="Added to those that came, or in their place.">
        {(own) => <TextArea {...own} rows={2} spellcheck={false} placeholder="name: value, one a line" value={headers} onText={setHeaders} />}
      </Field>
      <Field label="Query" help="Left as it is, it stays what it was.">
        {(own) => <Input {...own} spellcheck={false} placeholder="as it came" value={query ?? ""} onText={setQuery} />}
      </Field>
    </Confirm>
  )
}
