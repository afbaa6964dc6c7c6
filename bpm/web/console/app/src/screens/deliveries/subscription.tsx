// One subscription: how its receiver is doing, what was sent to it, and what mends it.

import { useAsk } from "../../asking"
import { place, to } from "../../router"
import { Facts } from "../../ui/facts"
import { IconButton } from "../../ui/button"
import { Page } from "../../ui/page"
import { Failed, Loading } from "../../ui/states"
import { Code, pretty } from "../../ui/code"
import { Time } from "../../ui/time"
import { List, useList } from "../list"
import { ListTabs } from "../list_screen"
import { Actions } from "./actions"
import { ATTEMPTS, DELIVERIES, SubscriptionBadge, type Subscription } from "./columns"
import { StateFilter, stateWanted } from "./deliveries"
import { NewSubscription } from "./new_subscription"

const LISTS = [
  { key: "deliveries", label: "Deliveries" },
  { key: "attempts", label: "Attempts" },
]

/** The screen of one subscription; `new` is one that is not there yet. */
export function SubscriptionScreen({ id }: { id: string }) {
  return id === "new" ? <NewSubscription /> : <Present id={id} />
}

function Present({ id }: { id: string }) {
  const asked = useAsk({ $type: "GetSubscriptionByIdQuery", id: Number(id) }, 5)
  const subscription = asked.data
  if (asked.error && !subscription) return <Failed error={asked.error} onAgain={asked.again} />
  if (!subscription) return <Loading rows={10} />
  const name = subscription.name || subscription.url
  return (
    <Page
      name={name}
      title={
        <span class="row">
          <span>{name}</span>
          <SubscriptionBadge subscription={subscription} />
        </span>
      }
      about={subscription.description}
      back={{ label: "Subscriptions", address: to("deliveries", { list: "subscriptions" }) }}
      actions={
        <>
          <IconButton label="Ask again" icon="again" onClick={asked.again} />
          <Actions subscription={subscription} onDone={asked.again} />
        </>
      }
    >
      <Problem subscription={subscription} />
      <section class="card card-body">
        <Facts facts={factsOf(subscription)} />
      </section>
      {subscription.transform && <Code label="What is sent instead of the usual body" text={pretty(subscription.transform)} />}
      <ListTabs title="What was sent" lists={LISTS} />
      {place.value.filters["list"] === "attempts" ? <Attempts id={subscription.id} /> : <Deliveries id={subscription.id} />}
    </Page>
  )
}

function Problem({ subscription }: { subscription: Subscription }) {
  const { isActive, disabledReason, breaker, failureCount, openUntil } = subscription
  if (!isActive) {
    return <div class="notice">{disabledReason ? `Switched off: ${disabledReason}.` : "Switched off by hand."} What happens meanwhile is kept for it.</div>
  }
  if (breaker === "closed") return null
  return (
    <div class="notice">
      <span>
        {failureCount} failures since the last success: {breaker === "open" ? "nothing is sent until" : "one delivery tries whether it is back since"} <Time at={openUntil} />
      </span>
    </div>
  )
}

function factsOf(subscription: Subscription) {
  const { maxInFlight, ratePerSecond, retryCount, headers } = subscription
  return [
    ["Address", <code>{subscription.url}</code>],
    ["Events", subscription.events.join(", ")],
    ["Breaker", subscription.breaker],
    ["Last success", <Time at={subscription.lastSuccessAt} />],
    ["Last failure", <Time at={subscription.lastFailureAt} />],
    ["Failures since", subscription.failureCount],
    ["Retries", `${retryCount ?? "six"}, ${subscription.timeoutSeconds} s for an answer`],
    subscription.filter && ["Only if", <code>{subscription.filter}</code>],
    subscription.orderingKey && ["In order by", <code>{subscription.orderingKey}</code>],
    Boolean(maxInFlight) && ["At once", maxInFlight],
    Boolean(ratePerSecond) && ["A second", String(ratePerSecond)],
    Object.keys(headers).length > 0 && ["Further headers", Object.keys(headers).join(", ")],
    subscription.format !== "standard" && ["Format", subscription.format],
  ] as Parameters<typeof Facts>[0]["facts"]
}

function Deliveries({ id }: { id: number }) {
  const asked = useList({ $type: "GetDeliveryListQuery", subscriptionId: id, state: stateWanted() }, 5)
  return (
    <List
      label="Deliveries"
      asked={asked}
      columns={DELIVERIES}
      keyOf={(row) => row.id}
      addressOf={(row) => to(`deliveries/${row.id}`)}
      filters={<StateFilter />}
      empty="No event was for it yet. A test event shows whether its receiver is there."
    />
  )
}

function Attempts({ id }: { id: number }) {
  const asked = useList({ $type: "GetDeliveryAttemptListQuery", subscriptionId: id }, 5)
  return (
    <List
      label="Attempts"
      asked={asked}
      columns={ATTEMPTS}
      keyOf={(row) => String(row.id)}
      addressOf={(row) => to(`deliveries/${row.deliveryId}`)}
      empty="Nothing was sent to it yet."
    />
  )
}
