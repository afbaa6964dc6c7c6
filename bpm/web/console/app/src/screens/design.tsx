// The design system on one page: everything that screens are made of, in every state.

import { useState } from "preact/hooks"
import { Refused } from "../bus"
import { Badge } from "../ui/badge"
import { Button, IconButton } from "../ui/button"
import { Code, pretty } from "../ui/code"
import { Dialog } from "../ui/dialog"
import { Facts } from "../ui/facts"
import { Field, Input, Select, TextArea } from "../ui/field"
import { Page } from "../ui/page"
import { Empty, Failed, Loading } from "../ui/states"
import { Table } from "../ui/table"
import { Tabs } from "../ui/tabs"
import { Time } from "../ui/time"
import { toast } from "../ui/toast"

const COLOURS = ["bg", "surface", "sunken", "line", "line-strong", "control", "text", "muted", "accent", "good", "warn", "bad"]
const ROWS = [
  { id: "a", name: "paystack", state: "done", count: 12_904 },
  { id: "b", name: "a name that is so long that it can't possibly stand in the width that it was given here", state: "dead", count: 3 },
  { id: "c", name: "github", state: "pending", count: 1 },
]
const STATES = ["done", "pending", "failed", "dead", "cancelled"]
const EXAMPLE = { event: "charge.success", data: { id: 302961, amount: 20000.5, currency: "NGN", paid: true, note: null } }

export function Design() {
  const [tab, setTab] = useState<"one" | "two" | "three">("one")
  const [isAsking, ask] = useState(false)
  const [text, setText] = useState("payments")
  const minutesAgo = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  return (
    <Page title="Design" about="What every screen is made of. A grid of 4 px, system fonts, one accent; a state is told by word, shape and colour.">
      <Part title="Colours">
        <div class="swatches">
          {COLOURS.map((name) => (
            <div key={name}>
              <span style={{ background: `var(--${name})` }} />
              {name}
            </div>
          ))}
        </div>
      </Part>
      <Part title="Type">
        <div class="stack">
          <h1>Title, 20 px</h1>
          <h2>Lead, 15 px</h2>
          <p>Body, 13 px on 20. What came in stands as it came, what became of it beside it.</p>
          <p class="muted">Muted, for what is looked at second. <code>code_and_ids</code> and <kbd>Ctrl K</kbd></p>
        </div>
      </Part>
      <Part title="Buttons">
        <div class="row">
          <Button kind="main">Replay</Button>
          <Button>Cancel</Button>
          <Button kind="danger">Discard</Button>
          <Button kind="quiet" icon="copy">as curl</Button>
          <Button icon="again">With a drawing</Button>
          <Button disabled>Not possible</Button>
          <Button kind="main" isBusy>Busy</Button>
          <IconButton label="Ask again" icon="again" />
        </div>
      </Part>
      <Part title="States">
        <div class="row">
          {STATES.map((state) => (
            <Badge key={state} state={state} />
          ))}
        </div>
      </Part>
      <Part title="Fields">
        <div class="columns">
          <Field label="Name" isRequired help="At most 100 characters">
            {(own) => <Input {...own} value={text} onText={setText} />}
          </Field>
          <Field label="Path" problem="must not begin with a slash">
            {(own) => <Input {...own} value="/payments" />}
          </Field>
          <Field label="Method">
            {(own) => <Select {...own} value="POST" choices={["GET", "POST", "PUT"]} onChoice={() => undefined} />}
          </Field>
          <Field label="Script" help="Python, as the sandbox takes it">
            {(own) => <TextArea {...own} rows={3} value={"return {\"ok\": True}"} onText={() => undefined} />}
          </Field>
        </div>
      </Part>
      <Part title="Table">
        <Table
          label="Example"
          rows={ROWS}
          keyOf={(row) => row.id}
          addressOf={() => "#/design"}
          columns={[
            { name: "Name", cell: (row) => row.name },
            { name: "State", width: "128px", cell: (row) => <Badge state={row.state} /> },
            { name: "Seen", width: "144px", isMinor: true, cell: (row) => <Time at={minutesAgo(row.count)} /> },
            { name: "Requests", width: "96px", isNumber: true, cell: (row) => row.count.toLocaleString() },
          ]}
        />
      </Part>
      <Part title="Tabs and facts">
        <div class="stack">
          <Tabs
            label="Example"
            value={tab}
            onTab={setTab}
            tabs={[
              { key: "one", label: "Body" },
              { key: "two", label: "Headers", count: 14 },
              { key: "three", label: "Attempts", count: 0 },
            ]}
          />
          <Facts
            facts={[
              ["Received", <Time at={minutesAgo(4)} />],
              ["From", "203.0.113.7"],
              ["Rule", "paystack, revision 3"],
              ["Id", <code>01a2211b-3ce8-74eb-93ff-8c2249db9d63</code>],
              ["Answered with", null],
            ]}
          />
        </div>
      </Part>
      <Part title="Code">
        <Code label="Body" text={pretty(EXAMPLE)} />
      </Part>
      <Part title="Dialogs and toasts">
        <div class="row">
          <Button onClick={() => ask(true)}>Ask something</Button>
          <Button onClick={() => toast("Replay requested")}>Say something</Button>
          <Button onClick={() => toast("The session has ended already", true)}>Say what failed</Button>
        </div>
        {isAsking && (
          <Dialog title="Replay this request?" onClose={() => ask(false)}>
            <p>Its rule, as it is now, takes it again.</p>
            <footer>
              <Button onClick={() => ask(false)}>Cancel</Button>
              <Button kind="main" onClick={() => ask(false)}>Replay</Button>
            </footer>
          </Dialog>
        )}
      </Part>
      <div class="columns">
        <Part title="Loading">
          <Loading rows={4} />
        </Part>
        <Part title="Empty">
          <Empty icon="requests" title="Nothing came in yet" action={<Button kind="main">Create a rule</Button>}>
            A rule gives a provider an address to send to.
          </Empty>
        </Part>
        <Part title="Failed">
          <Failed error={new Refused(503, "The queue of waiting work is full", ["Try again in a moment"], "01a2211b-3ce8")} onAgain={() => undefined} />
        </Part>
        <Part title="Refused">
          <Failed error={new Refused(403, "", ["GetSystemStatusQuery needs the permission system:read"], "")} />
        </Part>
      </div>
    </Page>
  )
}

function Part({ title, children }: { title: string; children: preact.ComponentChildren }) {
  return (
    <section class="card">
      <h2>{title}</h2>
      <div class="card-body">{children}</div>
    </section>
  )
}
