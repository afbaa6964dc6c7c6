// The request that a rule is tried with: one that was captured, or one that is made up.

import { useEffect, useRef, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { parse } from "../../exact_json"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Code, formatted } from "../../ui/code"
import { Field, Input, Select, TextArea } from "../../ui/field"
import { Segments } from "../../ui/segments"
import { local } from "../../ui/time"
import { headersOf } from "./headers"

export type Sample = { requestId: string } | { request: { body: unknown; query?: string; headers: Record<string, string> } }

interface Props {
  ruleKey: string
  /** The captured request that the address names. */
  wanted: string | undefined
  onSample: (sample: Sample | undefined) => void
  onPayload: (payload: unknown) => void
}

const SECONDS = 5
/** So often the list of captured requests is asked where no stream can be had. */
const MADE_UP = '{\n  "id": "1"\n}'

export function SampleRequest(props: Props) {
  const mayRead = may("inbound:read")
  const [kind, setKind] = useState<"captured" | "made">(mayRead ? "captured" : "made")
  return (
    <div class="stack">
      {mayRead && (
        <Segments
          label="What it is tried with"
          value={kind}
          choices={[
            { value: "captured", label: "A captured request" },
            { value: "made", label: "One made up" },
          ]}
          onChoice={setKind}
        />
      )}
      {kind === "captured" ? <Captured {...props} /> : <MadeUp {...props} />}
    </div>
  )
}

function Captured({ ruleKey, wanted, onSample, onPayload }: Props) {
  const own = useAsk(ruleKey ? { $type: "GetInboundRequestListQuery", configKey: ruleKey, pageSize: 20 } : null, SECONDS)
  const any = useAsk({ $type: "GetInboundRequestListQuery", pageSize: 20 })
  const [chosen, choose] = useState(wanted ?? "")
  const owned = own.data?.items ?? []
  const rows = owned.length ? owned : (any.data?.items ?? [])
  const first = useRef<{ id: string; isOwn: boolean } | undefined>(undefined)
  if (rows[0] && (!first.current || (owned.length && !first.current.isOwn))) first.current = { id: rows[0].requestId, isOwn: owned.length > 0 }
  const id = chosen || first.current?.id || "" // what comes meanwhile can be chosen, and does not take the place of what is looked at
  const whole = useAsk(id ? { $type: "GetInboundRequestByIdQuery", requestId: id } : null)
  useEffect(() => onSample(id ? { requestId: id } : undefined), [id])
  useEffect(() => onPayload(payloadOf(whole.data)), [whole.data])
  if (!id && (own.isLoading || any.isLoading)) return null
  if (!id) return (
    <p class="muted">
      Nothing was captured yet. Make a request up, or send one: <em>Send one</em> has the command, once the rule is saved.
    </p>
  )
  return (
    <>
      <Field label="Captured request">
        {(attributes) => (
          <Select
            {...attributes}
            value={id}
            choices={[
              ...(rows.some((row) => row.requestId === id) ? [] : [{ value: id, label: id }]),
              ...rows.map((row) => ({ value: row.requestId, label: `${local(row.receivedAt)} · ${row.state} · ${row.method} /${row.path}` })),
            ]}
            onChoice={choose}
          />
        )}
      </Field>
      {whole.data?.body && <Code label="Its body" text={formatted(whole.data.body)} />}
    </>
  )
}

function MadeUp({ onSample, onPayload }: Props) {
  const [body, setBody] = useState(MADE_UP)
  const [query, setQuery] = useState("")
  const [headers, setHeaders] = useState("")
  useEffect(() => {
    onSample({ request: { body: parsed(body), query, headers: headersOf(headers) } })
    onPayload(parsed(body))
  }, [body, query, headers])
  return (
    <>
      <Field label="Body" help="JSON, or text as it is.">
        {(own) => <TextArea {...own} rows={5} spellcheck={false} value={body} onText={setBody} />}
      </Field>
      <Field label="Query">{(own) => <Input {...own} spellcheck={false} placeholder="a=1&b=2" value={query} onText={setQuery} />}</Field>
      <Field label="Headers">{(own) => <TextArea {...own} rows={2} spellcheck={false} placeholder="name: value, one a line" value={headers} onText={setHeaders} />}</Field>
    </>
  )
}

function payloadOf(request: Schemas["InboundRequestDetailView"] | undefined): unknown {
  return request && parsed(request.body)
}

function parsed(text: string): unknown {
  try {
    return parse(text)
  } catch {
    return text
  }
}
