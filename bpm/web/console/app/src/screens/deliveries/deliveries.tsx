// What goes out: deliveries, and the subscriptions that they go to.

import { useAsk } from "../../asking"
import { place, refine, to } from "../../router"
import { may } from "../../session"
import { Button } from "../../ui/button"
import { Select } from "../../ui/field"
import { SearchBox } from "../../ui/search_box"
import { BulkButton } from "../bulk/button"
import { ListScreen } from "../list_screen"
import { DELIVERIES, STATES, SUBSCRIPTIONS, type Delivery } from "./columns"

const LISTS = [
  { key: "deliveries", label: "Deliveries" },
  { key: "subscriptions", label: "Subscriptions" },
]
const AREAS = ["deliveries", "subscriptions", "events"]

export function Deliveries() {
  return place.value.filters["list"] === "subscriptions" ? <Subscriptions /> : <All />
}

function All() {
  const { filters } = place.value
  const nameOf = useSubscriptionNames()
  const columns = [...DELIVERIES.slice(0, 3), { name: "To", isMinor: true, cell: (row: Delivery) => nameOf(row.subscriptionId) }, ...DELIVERIES.slice(3)]
  return (
    <ListScreen
      key="deliveries"
      title="Deliveries"
      lists={LISTS}
      query={{ $type: "GetDeliveryListQuery", state: stateWanted(), event: filters["event"] ?? null, eventId: filters["of"] ?? null }}
      everySeconds={5}
      columns={columns}
      keyOf={(row) => row.id}
      addressOf={(row) => to(`deliveries/${row.id}`)}
      filters={
        <>
          <StateFilter />
          <SearchBox
            isShort
            label="Event"
            hint="Event, as in order.*"
            value={filters["event"] ?? ""}
            onSearch={(event) => refine({ event, page: undefined })}
          />
          {filters["of"] && (
            <Button icon="close" title="Show those of every event" onClick={() => refine({ of: undefined, page: undefined })}>
              Of one event only
            </Button>
          )}
        </>
      }
      actions={!filters["of"] && <DeadAgain event={filters["event"]} />}
      areas={AREAS}
      empty="An event that somebody has subscribed to becomes a delivery."
    />
  )
}

const MOST_NAMED = 200

/** Returns what a subscription is called; of one beyond the newest 200, its number. */
function useSubscriptionNames(): (id: number) => string {
  const asked = useAsk(may("subscriptions:read") ? { $type: "GetSubscriptionListQuery", pageSize: MOST_NAMED } : null)
  const names = new Map(asked.data?.items.map((each) => [each.id, each.name || each.url]))
  return (id) => names.get(id) ?? `subscription ${id}`
}

/** Sends again what was given up, of the event that the list shows, or of all. */
function DeadAgain({ event }: { event: string | undefined }) {
  return (
    <BulkButton
      label="Send the dead again"
      permission="deliveries:write"
      title="Send dead deliveries again"
      verb={["Send", "again"]}
      plan={{ action: "resendDeliveries", selection: { state: "dead", ...(event && { event }) } }}
    >
      <p>What was given up{event ? ` of ${event}` : ""} goes to its receiver once more, as a further attempt of the same delivery.</p>
    </BulkButton>
  )
}

function Subscriptions() {
  return (
    <ListScreen
      key="subscriptions"
      title="Deliveries"
      lists={LISTS}
      query={{ $type: "GetSubscriptionListQuery" }}
      columns={SUBSCRIPTIONS}
      keyOf={(row) => String(row.id)}
      addressOf={(row) => to(`subscriptions/${row.id}`)}
      actions={
        may("subscriptions:write") && (
          <a class="button main" href={to("subscriptions/new")}>
            New subscription
          </a>
        )
      }
      areas={AREAS}
      empty="A subscription says which events go to which address: make one, and what happens from then on is sent there."
    />
  )
}

/** Returns the state that the address asks for, or null for every one. */
export function stateWanted(): Delivery["state"] | null {
  return STATES.find((state) => state === place.value.filters["state"]) ?? null
}

export function StateFilter() {
  return (
    <Select
      aria-label="State"
      value={stateWanted() ?? ""}
      choices={[{ value: "", label: "Every state" }, ...STATES]}
      onChoice={(state) => refine({ state, page: undefined })}
    />
  )
}
