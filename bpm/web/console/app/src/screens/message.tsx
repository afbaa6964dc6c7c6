// One message: what it does, a form made from its schema, and the answer.

import { useEffect, useState } from "preact/hooks"
import { Refused, sendAny, type Envelope } from "../bus"
import { catalogue, isCommand, needCatalogue, words, type Entry } from "../catalogue"
import { curlOf } from "../curl"
import { numberOf, stringify } from "../exact_json"
import { problemsOf } from "../forms/problems"
import { kindOf, type Schema } from "../forms/schema"
import { SchemaFields } from "../forms/schema_fields"
import { keep, recall } from "../kept"
import { place as here } from "../router"
import { Badge } from "../ui/badge"
import { Button } from "../ui/button"
import { Code, copy, pretty } from "../ui/code"
import { Facts } from "../ui/facts"
import { Field } from "../ui/field"
import { inline } from "../ui/inline"
import { JsonArea, readJson } from "../ui/json_area"
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
  const place = `anything/${entry.type}`
  const [fields, setFields] = useState<Fields>(() => beginning(entry, place))
  const [mode, setMode] = useState<"form" | "json">("form")
  const [text, setText] = useState("")
  const [answer, setAnswer] = useState<Envelope>()
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const schema = entry.request as Schema
  const written = readJson(text)
  const message = { $type: entry.type, ...(mode === "form" ? fields : written.value) }
  const isWrong = mode === "json" && Boolean(written.problem)

  const write = (next: Fields) => {
    setFields(next)
    keep(place, next)
  }
  const writeText = (next: string) => {
    setText(next)
    const { value } = readJson(next)
    if (value) keep(place, value)
  }
  const change = (wanted: "form" | "json") => {
    if (wanted === "json") setText(pretty(fields))
    else if (isWrong) return
    else write(written.value ?? {})
    setMode(wanted)
  }
  const ask = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      setAnswer(await sendAny(message))
      keep(place, undefined)
    } catch (error) {
      setAnswer(undefined)
      setRefused(Refused.of(error))
    } finally {
      setBusy(false)
    }
  }

  useEffect(() => {
    if (!isCommand(entry) && Object.keys(given(entry)).length) void ask()
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
            <Button kind="quiet" icon="copy" disabled={isWrong} onClick={() => void copy(asCurl(message))}>
              as curl
            </Button>
          </div>
          <div class="card-body stack">
            {mode === "json" ? (
              <Field label="Fields as JSON" problem={written.problem}>
                {(own) => <JsonArea {...own} rows={16} value={text} onText={writeText} />}
              </Field>
            ) : (
              <SchemaFields schema={schema} root={schema} value={fields} problems={problemsOf(refused)} path="" onValue={write} />
            )}
            <div>
              <Button kind="main" type="submit" isBusy={isBusy} disabled={isWrong}>
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

/** Returns what the address gives, else what was being written here. */
function beginning(entry: Entry, place: string): Fields {
  const fields = given(entry)
  return Object.keys(fields).length ? fields : (recall<Fields>(place) ?? {})
}

/** Returns the fields that the address gives, as in `?requestId=01a2`; a query that has some is asked at once. */
function given(entry: Entry): Fields {
  const schema = entry.request as Schema
  const known = Object.entries(here.value.filters).flatMap(([name, text]) => {
    const field = schema.properties?.[name]
    return field ? [[name, kindOf(field, schema) === "number" ? (numberOf(text) ?? text) : text]] : []
  })
  return Object.fromEntries(known)
}

function asCurl(message: object): string {
  const url = new URL("../api/bpm/cmd", location.href).href
  const headers = { "Content-Type": "application/json" }
  return `${curlOf({ method: "POST", url, headers, body: stringify(message) })} \\\n  -H "Authorization: Bearer $TOKEN"`
}
