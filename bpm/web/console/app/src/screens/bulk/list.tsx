// Bulk jobs, the newest first.

import { to } from "../../router"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { List, useList } from "../list"
import { ACTIONS } from "./actions"

type Job = Schemas["BulkJobView"]

const COLUMNS: Column<Job>[] = [
  { name: "What", cell: (row) => ACTIONS[row.action].name },
  { name: "State", width: "124px", cell: (row) => <Badge state={row.state} /> },
  { name: "Touched", width: "132px", narrow: "92px", isNumber: true, cell: (row) => `${(row.done + row.refused).toLocaleString()} of ${row.total.toLocaleString()}` },
  { name: "Refused", width: "92px", isMinor: true, isNumber: true, cell: (row) => row.refused.toLocaleString() },
  { name: "By", width: "140px", isMinor: true, cell: (row) => row.askerName },
  { name: "Planned", width: "164px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
]

export function BulkJobs() {
  const asked = useList({ $type: "GetBulkJobListQuery" })
  return (
    <List
      label="Bulk jobs"
      asked={asked}
      columns={COLUMNS}
      keyOf={(row) => row.id}
      addressOf={(row) => to(`bulk/${row.id}`)}
      isSearched={false}
      empty="Drive a group of failures again, and the job with its list stands here."
    />
  )
}
