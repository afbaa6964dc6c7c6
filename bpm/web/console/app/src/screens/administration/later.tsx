// Messages that are sent later: beginnings of processes, thrown messages, the rest of bulk work.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { place, refine, to } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Select } from "../../ui/field"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { List, useList } from "../list"

type Scheduled = Schemas["ScheduledMessageView"]

const STATES = [
  { value: "", label: "Every state" },
  { value: "waiting", label: "waiting" },
  { value: "dead", label: "dead" },
  { value: "sent", label: "sent" },
] as const

export function Later() {
  const state = STATES.find((each) => each.value === place.value.filters["state"])?.value || null
  const asked = useList({ $type: "GetScheduledMessageListQuery", state })
  const [again, ask] = useState<Scheduled>()
  const columns: Column<Scheduled>[] = [
    { name: "Message", cell: (row) => row.type },
    { name: "State", width: "112px", cell: (row) => <Badge state={row.state} /> },
    { name: "Due", width: "164px", narrow: "96px", cell: (row) => <Time at={row.dueAt} /> },
    { name: "As", width: "144px", isMinor: true, cell: (row) => <span title={row.principalId}>{row.principalName}</span> },
    { name: "Attempts", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.attempt },
    { name: "What was wrong", isMinor: true, cell: (row) => row.errors?.join(" · ") },
    {
      name: "Action",
      width: "104px",
      cell: (row) =>
        row.state === "dead" &&
        may("messages:write") && (
          <Button kind="quiet" onClick={() => ask(row)}>
            Try again
          </Button>
        ),
    },
  ]
  return (
    <>
      <List
        label="Sent later"
        asked={asked}
        columns={columns}
        keyOf={(row) => row.id}
        {...(may("traces:read") && { addressOf: (row: Scheduled) => to(`trace/${row.correlationId}`) })}
        isSearched={false}
        filters={<Select aria-label="State" value={state ?? ""} choices={STATES} onChoice={(chosen) => refine({ state: chosen || undefined, page: undefined })} />}
        empty="What a process throws, or begins at a time, stands here until it is sent."
      />
      {again && (
        <Confirm
          title={`Try ${again.type} again?`}
          action="Try again"
          onClose={() => ask(undefined)}
          onDone={asked.again}
          onAct={async () => (await send({ $type: "RetryScheduledMessageCommand", id: again.id }), "It is tried again")}
        >
          <p>{again.errors?.join(" · ") || "It was given up after all attempts."}</p>
          <p class="muted">It is sent as {again.principalName}, once what kept it is mended.</p>
        </Confirm>
      )}
    </>
  )
}
