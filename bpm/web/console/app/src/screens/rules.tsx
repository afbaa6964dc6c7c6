// The rules: what answers where, and what it does.

import { place, to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import type { Column } from "../ui/table"
import { Time } from "../ui/time"
import { ListScreen } from "./list_screen"
import { Spark, useTrafficOfRules } from "./traffic"

type Rule = Schemas["WebHookConfigView"]
type Draft = Schemas["WebHookDraftView"]

const DOES = ["command", "chain", "script", "process"]

const COLUMNS: Column<Rule>[] = [
  { name: "Rule", cell: (row) => row.key },
  { name: "State", width: "112px", cell: (row) => <State rule={row} /> },
  { name: "Answers at", cell: (row) => <span class="mono">{`${row.action} /${row.path}`}</span> },
  { name: "Does", width: "200px", isMinor: true, cell: (row) => row.commandName ?? DOES[row.executionType] },
  { name: "Revision", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.revision },
  { name: "Changed", width: "176px", isMinor: true, cell: (row) => <Time at={row.updatedAt ?? row.createdAt} /> },
]

const DRAFTS: Column<Draft>[] = [
  { name: "Rule", cell: (row) => row.key },
  { name: "Draft of", width: "160px", cell: (row) => (row.configId === null ? "a new rule" : `revision ${row.baseRevision}`) },
  { name: "What it is for", cell: (row) => row.comment },
  { name: "By", width: "144px", isMinor: true, cell: (row) => row.author },
  { name: "Saved", width: "176px", isMinor: true, cell: (row) => <Time at={row.updatedAt} /> },
]

const LISTS = [
  { key: "rules", label: "Rules" },
  { key: "drafts", label: "Drafts" },
]

export function Rules() {
  return place.value.filters["list"] === "drafts" ? <Drafts /> : <Live />
}

function Drafts() {
  return (
    <ListScreen
      key="drafts"
      title="Rules"
      lists={LISTS}
      query={{ $type: "GetWebHookDraftListQuery" }}
      columns={DRAFTS}
      keyOf={(row) => String(row.id)}
      addressOf={(row) => to(`drafts/${row.id}`)}
      areas={["webhooks"]}
      empty="No draft waits. A change that is saved as a draft on the page of a rule is kept here until somebody publishes it."
    />
  )
}

function Live() {
  const isSeen = may("inbound:read")
  const hoursOf = useTrafficOfRules(isSeen)
  const traffic: Column<Rule> = { name: "Last 24 hours", width: "144px", isMinor: true, cell: (row) => <Spark hours={hoursOf(row.id)} /> }
  return (
    <ListScreen
      key="rules"
      title="Rules"
      lists={LISTS}
      query={{ $type: "GetWebHookConfigListQuery" }}
      columns={isSeen ? [...COLUMNS.slice(0, 4), traffic, ...COLUMNS.slice(4)] : COLUMNS}
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
