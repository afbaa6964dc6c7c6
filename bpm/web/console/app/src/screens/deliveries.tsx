// What goes out: deliveries, and the subscriptions that they go to.

import { place, to } from "../router"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import type { Column } from "../ui/table"
import { Time } from "../ui/time"
import { ListScreen } from "./list_screen"

type Delivery = Schemas["DeliveryView"]
type Subscription = Schemas["SubscriptionView"]

const LISTS = [
  { key: "deliveries", label: "Deliveries" },
  { key: "subscriptions", label: "Subscriptions" },
]
const AREAS = ["deliveries", "subscriptions", "events"]

const DELIVERIES: Column<Delivery>[] = [
  { name: "Began", width: "164px", narrow: "84px", cell: (row) => <Time at={row.createdAt} /> },
  { name: "State", width: "112px", cell: (row) => <Badge state={row.state} /> },
  { name: "Event", cell: (row) => row.event },
  { name: "Attempts", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.attempts },
  { name: "Last answer", isMinor: true, cell: (row) => row.lastError ?? row.lastStatus },
  { name: "Next attempt", width: "176px", isMinor: true, cell: (row) => <Time at={row.nextAttemptAt} /> },
]

const SUBSCRIPTIONS: Column<Subscription>[] = [
  { name: "Subscription", cell: (row) => row.name || row.url },
  { name: "State", width: "112px", cell: (row) => <Badge state={stateOf(row)} tone={row.isActive ? (row.failureCount ? "warn" : "good") : "idle"} /> },
  { name: "Address", isMinor: true, cell: (row) => <span class="mono">{row.url}</span> },
  { name: "Events", isMinor: true, cell: (row) => row.events.join(", ") },
  { name: "Last success", width: "176px", isMinor: true, cell: (row) => <Time at={row.lastSuccessAt} /> },
]

export function Deliveries() {
  return place.value.filters["list"] === "subscriptions" ? (
    <ListScreen
      key="subscriptions"
      title="Deliveries"
      lists={LISTS}
      query={{ $type: "GetSubscriptionListQuery" }}
      columns={SUBSCRIPTIONS}
      keyOf={(row) => String(row.id)}
      addressOf={(row) => to("anything/GetSubscriptionByIdQuery", { id: String(row.id) })}
      areas={AREAS}
      empty="A subscription says which events go to which address."
    />
  ) : (
    <ListScreen
      key="deliveries"
      title="Deliveries"
      lists={LISTS}
      query={{ $type: "GetDeliveryListQuery" }}
      columns={DELIVERIES}
      keyOf={(row) => row.id}
      addressOf={(row) => to(`trace/${row.id}`)}
      areas={AREAS}
      empty="An event that somebody has subscribed to becomes a delivery."
    />
  )
}

function stateOf(row: Subscription): string {
  if (!row.isActive) return row.disabledReason ? "disabled" : "off"
  return row.failureCount ? "failing" : "on"
}
