// A command for a terminal that sends the rule a request, as its provider would: signed, where the rule wants it signed.

import { useState } from "preact/hooks"
import { Refused, send } from "../../bus"
import { curlOf } from "../../curl"
import type { Schemas } from "../../types"
import { Button } from "../../ui/button"
import { Code } from "../../ui/code"
import { Field, Input, TextArea } from "../../ui/field"
import { Refusal } from "../../ui/refusal"
import { fieldsOf, type Fields, type Rule } from "./draft"

type Sample = Schemas["SignedSampleView"]

const BODY = '{"id": "1"}'
const JSON_TYPE = { "Content-Type": "application/json" }

export function SendOne({ rule }: { rule: Rule }) {
  const hasBody = rule.action !== "GET"
  const [body, setBody] = useState(hasBody ? BODY : "")
  const [secret, setSecret] = useState("")
  const { signature } = fieldsOf(rule)
  const url = rule.url.replaceAll(/\{(\w+)\}/g, "$1")
  const sent = { method: rule.action, url, headers: hasBody ? JSON_TYPE : {}, body }
  return (
    <div class="stack">
      <p class="muted">
        {rule.isEnabled ? "This makes a command for a terminal. What it sends is taken in for real, and stands among the requests a moment later." : "This makes a command for a terminal. The rule is switched off: what it sends is kept, and nothing else happens."}
      </p>
      {hasBody && <Field label="Body to send">{(own) => <TextArea {...own} rows={4} spellcheck={false} value={body} onText={setBody} />}</Field>}
      {signature && signature.scheme !== "none" ? <Signed key={body} signature={signature} sent={sent} secret={secret} onSecret={setSecret} /> : <Code label="In a terminal" text={curlOf(sent)} />}
    </div>
  )
}

interface SignedProps {
  signature: NonNullable<Fields["signature"]>
  sent: Parameters<typeof curlOf>[0]
  secret: string
  onSecret: (secret: string) => void
}

function Signed({ signature, sent, secret, onSecret }: SignedProps) {
  const [made, setMade] = useState<Sample>()
  const [refused, setRefused] = useState<Refused>()
  const sign = async () => {
    setRefused(undefined)
    try {
      setMade(await send({ $type: "SignSampleRequestQuery", signature, secret, ...sent }))
    } catch (error) {
      setMade(undefined)
      setRefused(Refused.of(error))
    }
  }
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault()
        void sign()
      }}
    >
      <Field label="Secret to sign with" help="The provider's: the one that stands in the rule, or its private key where it signs by one. It is kept nowhere.">
        {(own) => <Input {...own} type="password" autocomplete="off" value={secret} onText={onSecret} />}
      </Field>
      <div>
        <Button type="submit" disabled={!secret}>
          Sign it as {signature.scheme}
        </Button>
      </div>
      <div aria-live="polite" class="stack">
        {refused && <Refusal refused={refused} />}
        {made && (
          <>
            <Code label="In a terminal" text={curlOf({ ...sent, ...made, url: made.query ? `${sent.url.split("?")[0]}?${made.query}` : sent.url })} />
            <p class="help">Signed just now. Where the time is signed as well, it counts for a few minutes.</p>
          </>
        )}
      </div>
    </form>
  )
}
