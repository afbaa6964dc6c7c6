// One delivery: where it goes, what every attempt sent and was answered, and what can be done about it.

import { useEffect, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { send } from "../../bus"
import { to } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Code, formatted, pretty } from "../../ui/code"
import { Confirm } from "../../ui/confirm"
import { Facts } from "../../ui/facts"
import { Page } from "../../ui/page"
import { Failed, Loading } from "../../ui/states"
import { elapsed, Time } from "../../ui/time"
import type { Attempt } from "./columns"

type Whole = Schemas["DeliveryDetailView"]

export function DeliveryScreen({ id }: { id: string }) {
  const [isOver, setOver] = useState(false)
  const asked = useAsk({ $type: "GetDeliveryByIdQuery", id }, isOver ? 0 : 2)
  const delivery = asked.data
  useEffect(() => setOver(delivery !== undefined && delivery.state !== "pending"), [delivery?.state])
  if (asked.error && !delivery) return <Failed error={asked.error} onAgain={asked.again} />
  if (!delivery) return <Loading rows={10} />
  return (
    <Page
      name={delivery.event}
      title={
        <span class="row">
          <span>{delivery.event}</span>
          <Badge state={delivery.state} />
        </span>
      }
      back={{ label: "Deliveries", address: "#/deliveries" }}
      actions={<Actions delivery={delivery} onDone={asked.again} />}
    >
      {delivery.lastError && delivery.state !== "delivered" && <div class="notice">{delivery.lastError}</div>}
      <section class="card card-body">
        <Facts
          facts={[
            ["To", <a href={to(`subscriptions/${delivery.subscriptionId}`)}>subscription {delivery.subscriptionId}</a>],
            ["Began", <Time at={delivery.createdAt} />],
            ["Attempts", delivery.attempts],
            delivery.nextAttemptAt ? ["Next attempt", <Time at={delivery.nextAttemptAt} />] : null,
            delivery.completedAt ? ["Over", <Time at={delivery.completedAt} />] : null,
            delivery.isTest && ["Why", "a test, sent to this subscription alone"],
            ["Event", <a href={to("deliveries", { of: delivery.eventId })} title="All deliveries of this event"><code>{delivery.eventId}</code></a>],
            ["Id", <code>{delivery.id}</code>],
          ]}
        />
      </section>
      <div class="columns">
        <section class="card">
          <h2>Attempts</h2>
          <Attempts attempts={delivery.history} />
        </section>
        <Code label="Data of the event" text={pretty(delivery.data)} />
      </div>
    </Page>
  )
}

function Attempts({ attempts }: { attempts: Attempt[] }) {
  if (!attempts.length) return <p class="card-body muted">Nothing was sent yet.</p>
  return (
    <ol class="story card-body">
      {attempts.map((attempt) => (
        <li key={attempt.id} class={attempt.ok ? "" : "bad"}>
          <div class="row">
            <strong>
              {attempt.attempt} · {attempt.status ?? "no answer"}
            </strong>
            <span class="muted">
              <Time at={attempt.createdAt} age={false} />, {elapsed(attempt.durationMs / 1000)}
            </span>
          </div>
          {attempt.error && <p>{attempt.error}</p>}
          <details>
            <summary>What was sent and answered</summary>
            <div class="stack">
              {attempt.requestBody && <Code label={`Sent at attempt ${attempt.attempt}`} text={formatted(attempt.requestBody)} />}
              {attempt.responseHeaders && <Code label={`Headers of answer ${attempt.attempt}`} text={headersOf(attempt.responseHeaders)} />}
              {attempt.responseBody && <Code label={`Answer ${attempt.attempt}`} text={formatted(attempt.responseBody)} />}
              {!attempt.responseHeaders && !attempt.responseBody && <p class="muted">No answer came.</p>}
            </div>
          </details>
        </li>
      ))}
    </ol>
  )
}

function Actions({ delivery, onDone }: { delivery: Whole; onDone: () => void }) {
  const [doing, ask] = useState<"retry" | "cancel">()
  const mayWrite = may("deliveries:write")
  const isWaiting = delivery.state === "pending" || delivery.state === "paused"
  return (
    <>
      {may("traces:read") && (
        <a class="button" href={to(`trace/${delivery.id}`)}>
          Where it came from
        </a>
      )}
      {mayWrite && isWaiting && (
        <Button kind="danger" onClick={() => ask("cancel")}>
          Give up
        </Button>
      )}
      {mayWrite && (
        <Button kind="main" icon="again" onClick={() => ask("retry")}>
          Send again
        </Button>
      )}
      {doing && (
        <Confirm
          title={doing === "retry" ? "Send it again?" : "Give this delivery up?"}
          action={doing === "retry" ? "Send it" : "Give it up"}
          isDanger={doing === "cancel"}
          onClose={() => ask(undefined)}
          onDone={onDone}
          onAct={async () => {
            await send({ $type: doing === "retry" ? "RetryDeliveryCommand" : "CancelDeliveryCommand", id: delivery.id })
            return doing === "retry" ? "It is sent again" : "Given up"
          }}
        >
          <p>
            {doing === "retry"
              ? "At once, with a new round of attempts. Its receiver sees the same id, and may know it already."
              : "It is not tried any more; the next one in its lane goes. It can be sent again later."}
          </p>
        </Confirm>
      )}
    </>
  )
}

function headersOf(headers: Record<string, string>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}`)
    .join("\n")
}
