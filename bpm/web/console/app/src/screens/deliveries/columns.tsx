// Deliveries and subscriptions as lines of a list, wherever they are listed.

import type { Schemas } from "../../types"
import { Badge, type Tone } from "../../ui/badge"
import type { Column } from "../../ui/table"
import { elapsed, Time } from "../../ui/time"

export type Delivery = Schemas["DeliveryView"]
export type Subscription = Schemas["SubscriptionView"]
export type Attempt = Schemas["AttemptView"]

export const STATES: Array<Delivery["state"]> = ["pending", "delivered", "dead", "cancelled", "paused"]

export const DELIVERIES: Column<Delivery>[] = [
  { name: "Began", width: "164px", narrow: "96px", cell: (row) => <Time at={row.createdAt} /> },
  { name: "State", width: "112px", cell: (row) => <Badge state={row.state} /> },
  { name: "Event", cell: (row) => row.event, note: (row) => row.lastError },
  { name: "Attempts", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.attempts },
  { name: "Last answer", isMinor: true, cell: (row) => row.lastError ?? row.lastStatus },
  { name: "Next attempt", width: "176px", isMinor: true, cell: (row) => <Time at={row.nextAttemptAt} /> },
]

export const SUBSCRIPTIONS: Column<Subscription>[] = [
  { name: "Subscription", cell: (row) => row.name || row.url },
  { name: "State", width: "112px", cell: (row) => <SubscriptionBadge subscription={row} /> },
  { name: "Breaker", width: "104px", isMinor: true, cell: (row) => row.breaker },
  { name: "Address", isMinor: true, cell: (row) => <span class="mono">{row.url}</span> },
  { name: "Events", isMinor: true, cell: (row) => row.events.join(", ") },
  { name: "Last success", width: "176px", isMinor: true, cell: (row) => <Time at={row.lastSuccessAt} /> },
]

export const ATTEMPTS: Column<Attempt>[] = [
  { name: "Sent", width: "164px", narrow: "96px", cell: (row) => <Time at={row.createdAt} /> },
  { name: "Answer", width: "112px", cell: (row) => <Badge state={row.ok ? "done" : "failed"} /> },
  { name: "Event", cell: (row) => row.event, note: (row) => row.error },
  { name: "Attempt", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.attempt },
  { name: "Status", width: "80px", isMinor: true, isNumber: true, cell: (row) => row.status },
  { name: "What was wrong", isMinor: true, cell: (row) => row.error },
  { name: "Took", width: "96px", isMinor: true, isNumber: true, cell: (row) => elapsed(row.durationMs / 1000) },
]

/** Says whether a subscription is sent to, in one word. */
export function SubscriptionBadge({ subscription }: { subscription: Subscription }) {
  const [state, tone] = stateOf(subscription)
  return <Badge state={state} tone={tone} />
}

function stateOf(row: Subscription): [string, Tone] {
  if (!row.isActive) return row.disabledReason ? ["disabled", "bad"] : ["off", "idle"]
  return row.failureCount ? ["failing", "warn"] : ["on", "good"]
}
