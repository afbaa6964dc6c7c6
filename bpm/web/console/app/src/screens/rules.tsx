// The rules: what answers where, and what it does.

import { to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import type { Column } from "../ui/table"
import { Time } from "../ui/time"
import { ListScreen } from "./list_screen"

type Rule = Schemas["WebHookConfigView"]

const DOES = ["command", "chain", "script", "process"]

const COLUMNS: Column<Rule>[] = [
  { name: "Rule", cell: (row) => row.key },
  { name: "State", width: "112px", cell: (row) => <State rule={row} /> },
  { name: "Answers at", cell: (row) => <span class="mono">{`${row.action} /${row.path}`}</span> },
  { name: "Does", width: "200px", isMinor: true, cell: (row) => row.commandName ?? DOES[row.executionType] },
  { name: "Revision", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.revision },
  { name: "Changed", width: "176px", isMinor: true, cell: (row) => <Time at={row.updatedAt ?? row.createdAt} /> },
]

export function Rules() {
  return (
    <ListScreen
      title="Rules"
      query={{ $type: "GetWebHookConfigListQuery" }}
      columns={COLUMNS}
      keyOf={(row) => String(row.id)}
      addressOf={(row) => to(`rules/${row.id}`)}
      actions={may("webhooks:write") && <a class="button main" href="#/rules/new">New rule</a>}
      areas={["webhooks"]}
      empty="A rule gives a provider an address to send to, and says what becomes of what it sends."
    />
  )
}

function State({ rule }: { rule: Rule }) {
  if (rule.isPaused) return <Badge state="paused" tone="warn" />
  return <Badge state={rule.isEnabled ? "on" : "off"} />
}
