// What the server is set to, by group; what the environment set stands out.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Segments } from "../../ui/segments"
import { Failed, Loading } from "../../ui/states"
import { Table, type Column } from "../../ui/table"

type Setting = Schemas["SettingView"]

const WHICH = [
  { value: "all", label: "All" },
  { value: "set", label: "Set by the environment" },
] as const

const COLUMNS: Column<Setting>[] = [
  { name: "Setting", width: "344px", narrow: "200px", cell: (row) => <code>{row.name}</code> },
  { name: "Value", width: "220px", narrow: "130px", cell: (row) => (row.value ? <code title={row.value}>{row.value}</code> : <span class="muted">unset</span>) },
  { name: "From", width: "132px", isMinor: true, cell: (row) => <Badge state={row.origin} tone={row.origin === "environment" ? "good" : "idle"} /> },
  { name: "What it is for", isMinor: true, cell: (row) => <span title={row.about}>{row.about}</span> },
]

export function Settings() {
  const asked = useAsk({ $type: "GetSettingsQuery" })
  const [which, setWhich] = useState<"all" | "set">("all")
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  const shown = asked.data.items.filter((each) => which === "all" || each.origin === "environment")
  return (
    <>
      <p class="muted">As this server was started. They are set by variables of the environment, or in its file, and hold from the next start on.</p>
      <Segments label="Which" value={which} choices={WHICH} onChoice={setWhich} />
      <Table label="Settings" columns={COLUMNS} rows={shown} keyOf={(row) => row.name} />
    </>
  )
}
