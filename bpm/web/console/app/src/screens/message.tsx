// One message: what it does, a form made from its schema, and the answer.

import { useEffect, useState } from "preact/hooks"
import { Refused, sendAny, type Envelope } from "../bus"
import { catalogue, isCommand, needCatalogue, words, type Entry } from "../catalogue"
import { numberOf, parse, stringify } from "../exact_json"
import { problemsOf } from "../forms/problems"
import { kindOf, type Schema } from "../forms/schema"
import { SchemaFields } from "../forms/schema_fields"
import { place } from "../router"
import { Badge } from "../ui/badge"
import { Button } from "../ui/button"
import { Code, copy, pretty } from "../ui/code"
import { Facts } from "../ui/facts"
import { Field, TextArea } from "../ui/field"
import { inline } from "../ui/inline"
import { Page } from "../ui/page"
import { Refusal } from "../ui/refusal"
import { Empty, Loading } from "../ui/states"
import { Tabs } from "../ui/tabs"

type Fields = Record<string, unknown>

export function MessageScreen({ id }: { id: string }) {
  useEffect(needCatalogue, [])
  const entry = catalogue.value?.find((each) => each.type === id || each.aliases.includes(id))
  if (!catalogue.value) return <Loading />
  if (!entry) {
    return <Empty title={`There is no message ${id}`}>Its name may have changed; the palette (Ctrl K) finds all of them.</Empty>
  }
  return <MessageForm key={entry.type} entry={entry} />
}

function MessageForm({ entry }: { entry: Entry }) {
  const [fields, setFields] = useState<Fields>(() => given(entry))
  const [mode, setMode] = useState<"form" | "json">("form")
  const [text, setText] = useState("")
  const [answer, setAnswer] = useState<Envelope>()
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const schema = entry.request as Schema
  const message = () => ({ $type: entry.type, ...(mode === "form" ? fields : (parse(text || "{}") as Fields)) })

  const change = (wanted: "form" | "json") => {
    try {
      if (wanted === "json") setText(pretty(fields))
      else setFields(parse(text || "{}") as Fields)
      setMode(wanted)
    } catch (error) {
      setRefused(new Refused(0, "This is not JSON", [String(error)], ""))
    }
  }
  const ask = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      setAnswer(await sendAny(message()))
    } catch (error) {
      setAnswer(undefined)
      setRefused(error instanceof Refused ? error : new Refused(0, "This is not JSON", [String(error)], ""))
    } finally {
      setBusy(false)
    }
  }

  useEffect(() => {
    if (!isCommand(entry) && Object.keys(fields).length) void ask()
  }, [])

  const [first = "", ...others] = entry.description.split("\n\n")
  return (
    <Page title={words(entry.type)} back={{ label: "Anything", address: "#/anything" }} about={inline(first)}>
      <div class="columns">
        <form class="card" onSubmit={(event) => {
            event.preventDefault()
            void ask()
          }} noValidate>
          <div class="card-head">
            <Tabs
              label="How to fill it in"
              tabs={[
                { key: "form", label: "Form" },
                { key: "json", label: "JSON" },
              ]}
              value={mode}
              onTab={change}
            />
            <Button kind="quiet" icon="copy" onClick={() => void copy(curlOf(message()))}>
              as curl
            </Button>
          </div>
          <div class="card-body stack">
            {mode === "json" ? (
              <Field label="Fields as JSON">
                {(own) => <TextArea {...own} rows={16} spellcheck={false} value={text} onText={setText} />}
              </Field>
            ) : (
              <SchemaFields schema={schema} root={schema} value={fields} problems={problemsOf(refused)} path="" onValue={setFields} />
            )}
            <div>
              <Button kind="main" type="submit" isBusy={isBusy}>
                {isCommand(entry) ? "Send the command" : "Ask"}
              </Button>
            </div>
          </div>
        </form>
        <div class="stack">
          <section class="card" aria-live="polite">
            <h2>Answer</h2>
            <div class="card-body stack">
              {refused && <Refusal refused={refused} />}
              {answer && (
                <>
                  <div class="row">
                    <Badge state="done" /> {answer.message}
                  </div>
                  <Code label="Data" text={pretty(answer.data)} />
                </>
              )}
              {!refused && !answer && <p class="muted">Nothing was sent yet.</p>}
            </div>
          </section>
          <section class="card">
            <h2>About</h2>
            <div class="card-body stack">
              {others.map((paragraph) => (
                <p key={paragraph}>{inline(paragraph)}</p>
              ))}
              <Facts
                facts={[
                  ["Name", <code>{entry.type}</code>],
                  ["Area", entry.area],
                  ["Kind", entry.kind],
                  ["Permission", entry.permission ? <code>{entry.permission}</code> : "none is needed"],
                ]}
              />
            </div>
          </section>
        </div>
      </div>
    </Page>
  )
}

/** Returns the fields that the address gives, as in `?requestId=01a2`; a query that has some is asked at once. */
function given(entry: Entry): Fields {
  const schema = entry.request as Schema
  const known = Object.entries(place.value.filters).flatMap(([name, text]) => {
    const field = schema.properties?.[name]
    return field ? [[name, kindOf(field, schema) === "number" ? (numberOf(text) ?? text) : text]] : []
  })
  return Object.fromEntries(known)
}

function curlOf(message: object): string {
  const address = new URL("../api/bpm/cmd", location.href)
  const body = stringify(message).replaceAll("'", String.raw`'\''`)
  return `curl ${address} -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '${body}'`
}
