// Makes a subscription: where events go, which ones, and the secret that its receiver needs.

import { useEffect, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Refused, send } from "../../bus"
import { catalogue, needCatalogue } from "../../catalogue"
import { others, problemsOf } from "../../forms/problems"
import { only, type Schema } from "../../forms/schema"
import { SchemaFields } from "../../forms/schema_fields"
import { keep, recall } from "../../kept"
import { go, to } from "../../router"
import { may } from "../../session"
import type { Message } from "../../types"
import { Button } from "../../ui/button"
import { Field, Input, TextArea } from "../../ui/field"
import { Page } from "../../ui/page"
import { Refusal } from "../../ui/refusal"
import { ShownOnce } from "../../ui/shown_once"
import { Failed } from "../../ui/states"

type Creation = Extract<Message, { $type: "CreateSubscriptionCommand" }>

const PLACE = "subscriptions/new"
const PLAIN = ["url", "events", "name"]
const FURTHER = ["description", "filter", "transform", "headers", "signature", "secret", "retryCount", "timeoutSeconds", "orderingKey", "maxInFlight", "ratePerSecond", "format"]
const ABOUT = "Each event that fits is sent there as a signed request, and tried again for hours when the receiver is away."
const MOST = 200

interface Writing {
  url: string
  events: string
  name: string
  further: Record<string, unknown>
}

const BLANK: Writing = { url: "", events: "", name: "", further: {} }

export function NewSubscription() {
  const [writing, setWriting] = useState(() => recall<Writing>(PLACE) ?? BLANK)
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const [made, show] = useState<{ id: number; secret: string }>()
  useEffect(needCatalogue, [])
  if (!may("subscriptions:write")) return <Failed error={new Refused(403, "", ["Making a subscription needs the permission subscriptions:write"], "")} />
  const problems = problemsOf(refused)
  const events = wordsOf(writing.events)
  const write = (changes: Partial<Writing>) => {
    setWriting({ ...writing, ...changes })
    keep(PLACE, { ...writing, ...changes })
  }
  const create = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      show(await send({ ...writing.further, $type: "CreateSubscriptionCommand", url: writing.url.trim(), events, name: writing.name.trim() } as Creation))
      keep(PLACE, undefined)
    } catch (error) {
      setRefused(Refused.of(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Page title="New subscription" about={ABOUT} back={{ label: "Subscriptions", address: to("deliveries", { list: "subscriptions" }) }}>
      <div class="columns wide-left">
        <form class="card" noValidate onSubmit={(event) => {
            event.preventDefault()
            void create()
          }}>
          <div class="card-body stack">
            <Field label="Address of the receiver" isRequired problem={problems["url"]} help="Where it takes POST requests, as in `https://example.com/hooks`.">
              {(own) => <Input {...own} type="url" autofocus spellcheck={false} value={writing.url} onText={(url) => write({ url })} />}
            </Field>
            <Field label="Events" isRequired problem={problemOfEvents(problems)} help="Names, or beginnings of names as in `order.*`; one a line. `*` is every event.">
              {(own) => <TextArea {...own} rows={3} spellcheck={false} value={writing.events} onText={(events) => write({ events })} />}
            </Field>
            <Unknown events={unknownOf(refused)} onDone={() => void create()} />
            <Field label="Name" problem={problems["name"]} help="What it is called in lists; without one, its address.">
              {(own) => <Input {...own} value={writing.name} onText={(name) => write({ name })} />}
            </Field>
            <Further value={writing.further} problems={problems} onValue={(further) => write({ further })} />
            {refused && <Refusal refused={refused} sentences={others(refused.errors, isShown)} />}
            <div>
              <Button kind="main" type="submit" isBusy={isBusy} disabled={!writing.url.trim() || !events.length}>
                Make the subscription
              </Button>
            </div>
          </div>
        </form>
        <KnownEvents chosen={events} onChoice={(event) => write({ events: [...events, event].join("\n") })} />
      </div>
      {made && (
        <ShownOnce
          title="The secret of the subscription"
          secret={made.secret}
          about="Its receiver needs it to verify that a request comes from here. It is shown this once."
          onClose={() => go(to(`subscriptions/${made.id}`))}
        />
      )}
    </Page>
  )
}

function Further({ value, problems, onValue }: { value: Record<string, unknown>; problems: Record<string, string>; onValue: (value: Record<string, unknown>) => void }) {
  const schema = catalogue.value?.find((entry) => entry.type === "CreateSubscriptionCommand")?.request as Schema | undefined
  if (!schema) return null
  const isWrong = Object.keys(problems).some((place) => FURTHER.includes(place.split(".")[0] ?? ""))
  return (
    <details open={isWrong}>
      <summary>Filter, body, signature, retries</summary>
      <div class="stack">
        <SchemaFields schema={only(schema, FURTHER)} root={schema} value={value} problems={problems} path="" onValue={onValue} />
      </div>
    </details>
  )
}

/** Events that nobody has told the bus of: they are registered here, and the subscription is made. */
function Unknown({ events, onDone }: { events: string[]; onDone: () => void }) {
  const [problem, setProblem] = useState<string>()
  if (!events.length || !may("events:write")) return null
  const register = async () => {
    try {
      for (const event of events) await send({ $type: "RegisterEventTypeCommand", event })
      onDone()
    } catch (error) {
      setProblem(Refused.of(error).errors.join(" · "))
    }
  }
  return (
    <div class="row">
      <Button icon="plus" onClick={() => void register()}>
        Register {events.join(", ")} and make it
      </Button>
      <span class={problem ? "problem" : "help"}>{problem ?? "Events of your own are told to the bus once, so that a mistyped name is noticed."}</span>
    </div>
  )
}

/** The events that are known, to be chosen instead of typed. */
function KnownEvents({ chosen, onChoice }: { chosen: string[]; onChoice: (event: string) => void }) {
  const asked = useAsk(may("events:read") ? { $type: "GetEventTypeListQuery", brief: true, pageSize: MOST } : null)
  const known = asked.data?.items.filter((each) => !chosen.includes(each.event)) ?? []
  if (!known.length) return null
  return (
    <section class="card">
      <h2>Events that are known</h2>
      <ul class="card-body plain-list known-events">
        {known.map(({ event, description }) => (
          <li key={event}>
            <button type="button" class="link mono" onClick={() => onChoice(event)}>
              {event}
            </button>{" "}
            <span class="muted">{description}</span>
          </li>
        ))}
      </ul>
    </section>
  )
}

function wordsOf(text: string): string[] {
  return text.split(/[\s,]+/).filter(Boolean)
}

const UNKNOWN = /no event type is named '(.+?)'/

function unknownOf(refused: Refused | undefined): string[] {
  return (refused?.errors ?? []).flatMap((sentence) => UNKNOWN.exec(sentence)?.[1] ?? [])
}

/** Returns what is wrong with the events, or with one of them. */
function problemOfEvents(problems: Record<string, string>): string | undefined {
  const place = Object.keys(problems).find((each) => each.split(".")[0] === "events")
  return place && problems[place]
}

function isShown(place: string): boolean {
  return [...PLAIN, ...FURTHER].includes(place.split(".")[0] ?? "")
}
