// Runs of scripts, each with what it came to.

import { to } from "../router"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import type { Column } from "../ui/table"
import { Time } from "../ui/time"
import { ListScreen } from "./list_screen"

type Run = Schemas["RecordedRunView"]

const COLUMNS: Column<Run>[] = [
  { name: "Ran", width: "164px", narrow: "96px", cell: (row) => <Time at={row.createdAt} /> },
  { name: "State", width: "112px", cell: (row) => <Badge state={row.failure ? "failed" : "done"} /> },
  { name: "Rule", cell: (row) => row.rule?.replace(/^(\d+):(\d+)$/, "rule $1, revision $2") ?? row.sender },
  { name: "Sent", width: "72px", isMinor: true, isNumber: true, cell: (row) => row.sends },
  { name: "Processor", width: "104px", isMinor: true, isNumber: true, cell: (row) => `${(row.cpuSeconds * 1000).toFixed(1)} ms` },
  { name: "Memory", width: "104px", isMinor: true, isNumber: true, cell: (row) => `${(row.peakMemoryBytes / 2 ** 20).toFixed(1)} MiB` },
]

export function Scripts() {
  return (
    <ListScreen
      title="Scripts"
      query={{ $type: "GetCodeRunListQuery" }}
      everySeconds={5}
      columns={COLUMNS}
      keyOf={(row) => row.runId}
      addressOf={(row) => to(`scripts/${row.runId}`)}
      areas={["code"]}
      empty="A rule or a task with a script leaves a line here each time it runs."
    />
  )
}
