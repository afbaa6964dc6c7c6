// What the server is set to, by group; what the environment set stands out.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Select } from "../../ui/field"
import { inline } from "../../ui/inline"
import { Failed, Loading } from "../../ui/states"
import { Table, type Column } from "../../ui/table"

type Setting = Schemas["SettingView"]

const WHICH = [
  { value: "all", label: "All settings" },
  { value: "set", label: "Set by the environment" },
]

const COLUMNS: Column<Setting>[] = [
  { name: "Setting", width: "304px", narrow: "200px", cell: (row) => <code>{row.name}</code> },
  { name: "Value", width: "176px", narrow: "130px", cell: (row) => (row.value ? <code title={row.value}>{row.value}</code> : <span class="muted">unset</span>) },
  { name: "From", width: "132px", isMinor: true, cell: (row) => <Badge state={row.origin} tone={row.origin === "environment" ? "good" : "idle"} /> },
  { name: "What it is for", isMinor: true, isProse: true, cell: (row) => inline(row.about) },
]

export function Settings() {
  const asked = useAsk({ $type: "GetSettingsQuery" })
  const [which, setWhich] = useState("all")
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  const shown = asked.data.items.filter((each) => which === "all" || each.origin === "environment")
  return (
    <>
      <div class="filters">
        <Select aria-label="Which" value={which} choices={WHICH} onChoice={setWhich} />
        <span class="muted">As this server was started; what is changed in its environment holds from the next start on.</span>
      </div>
      <Table label="Settings" columns={COLUMNS} rows={shown} keyOf={(row) => row.name} />
    </>
  )
}
