// From any part to the whole: the request with which it began, and everything that came of it.

import { useState } from "preact/hooks"
import { useAsk } from "../asking"
import { go, to } from "../router"
import { Button } from "../ui/button"
import { Field, Input } from "../ui/field"
import { Page } from "../ui/page"
import { Failed, Loading } from "../ui/states"
import { Story } from "./story"

const WHAT = "Of a request, a message, an event, a delivery, an instance or a run of a script; or a correlation id."

export function TraceStart() {
  const [id, setId] = useState("")
  return (
    <Page title="Trace" about="From any id to the request with which it began, and to everything that came of it.">
      <form
        class="card card-body row keep"
        onSubmit={(event) => {
          event.preventDefault()
          if (id.trim()) go(to(`trace/${encodeURIComponent(id.trim())}`))
        }}
      >
        <Field label="Id" help={WHAT}>
          {(own) => <Input {...own} autofocus spellcheck={false} value={id} onText={setId} />}
        </Field>
        <Button kind="main" type="submit">
          Follow it
        </Button>
      </form>
    </Page>
  )
}

export function TraceScreen({ id }: { id: string }) {
  const asked = useAsk({ $type: "GetTraceQuery", id })
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  const { foundAs } = asked.data
  return (
    <Page
      title="Trace"
      name={`Trace of ${id}`}
      back={{ label: "Requests", address: "#/requests" }}
      about={
        <>
          Found as {foundAs === "correlation" ? "a correlation id" : `the id of ${/^[aei]/.test(foundAs) ? "an" : "a"} ${foundAs}`}: <code>{id}</code>
        </>
      }
    >
      <section class="card">
        <h2>From the first byte to the last effect</h2>
        <Story trace={asked.data} wanted={id} />
      </section>
    </Page>
  )
}
