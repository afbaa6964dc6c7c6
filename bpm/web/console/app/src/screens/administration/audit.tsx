// What was done: by whom, from where, and what became of it.

import { stringify } from "../../exact_json"
import { place, refine, to } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Select } from "../../ui/field"
import { SearchBox } from "../../ui/search_box"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { List, useList } from "../list"

type Entry = Schemas["AuditEntryView"]

const OUTCOMES = [
  { value: "", label: "Every outcome" },
  { value: "done", label: "done" },
  { value: "failed", label: "failed" },
]

const COLUMNS: Column<Entry>[] = [
  { name: "When", width: "164px", narrow: "96px", cell: (row) => <Time at={row.createdAt} /> },
  { name: "Outcome", width: "104px", cell: (row) => <Badge state={row.ok ? "done" : "failed"} /> },
  { name: "Message", cell: (row) => <span title={stringify(row.fields)}>{row.type}</span>, note: (row) => row.error },
  { name: "By", width: "144px", isMinor: true, cell: (row) => <span title={row.principal}>{row.principalName}</span> },
  { name: "What was wrong", isMinor: true, cell: (row) => row.error },
  { name: "From", width: "128px", isMinor: true, cell: (row) => row.address },
]

export function Audit() {
  const { filters } = place.value
  const asked = useList({
    $type: "GetAuditLogQuery",
    principal: filters["by"] || null,
    ok: filters["outcome"] ? filters["outcome"] === "done" : null,
  })
  return (
    <List
      label="Audit"
      asked={asked}
      columns={COLUMNS}
      keyOf={(row) => String(row.id)}
      {...(may("traces:read") && { addressOf: (row: Entry) => to(`trace/${row.correlationId}`) })}
      filters={
        <>
          <SearchBox isShort label="By whom" value={filters["by"] ?? ""} onSearch={(by) => refine({ by, page: undefined })} />
          <Select aria-label="Outcome" value={filters["outcome"] ?? ""} choices={OUTCOMES} onChoice={(outcome) => refine({ outcome, page: undefined })} />
        </>
      }
      empty="Each command that is sent leaves a line here."
    />
  )
}
