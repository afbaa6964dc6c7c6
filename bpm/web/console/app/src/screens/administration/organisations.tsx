// Organisations of the installation: each sees its own accounts, rules, subscriptions and processes alone.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { to } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { List, useList } from "../list"

type Organisation = Schemas["OrganizationView"]

const INSTALLATION = 1
/** The organisation of the installation itself, which nobody switches off. */

export function Organisations() {
  const asked = useList({ $type: "GetOrganizationListQuery" })
  const [switched, ask] = useState<Organisation>()
  const mayWrite = may("organizations:write")
  const columns: Column<Organisation>[] = [
    { name: "Organisation", cell: (row) => row.name },
    { name: "State", width: "104px", cell: (row) => <Badge state={row.isActive ? "on" : "off"} /> },
    { name: "Number", width: "80px", isMinor: true, isNumber: true, cell: (row) => row.id },
    { name: "Description", isMinor: true, cell: (row) => row.description },
    { name: "Since", width: "176px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
    {
      name: "Action",
      width: "184px",
      narrow: "104px",
      cell: (row) =>
        mayWrite && (
          <span class="row acts">
            {row.id !== INSTALLATION && (
              <Button kind="quiet" onClick={() => ask(row)}>
                {row.isActive ? "Switch off" : "Switch on"}
              </Button>
            )}
            <a class="button quiet" href={to("anything/UpdateOrganizationCommand", { id: String(row.id) })}>
              Change
            </a>
          </span>
        ),
    },
  ]
  return (
    <>
      <List
        label="Organisations"
        asked={asked}
        columns={columns}
        keyOf={(row) => String(row.id)}
        filters={
          mayWrite && (
            <a class="button main" href={to("anything/CreateOrganizationCommand")}>
              New organisation
            </a>
          )
        }
        empty="The installation itself stands here."
      />
      {switched && <Switch organisation={switched} onClose={() => ask(undefined)} onDone={asked.again} />}
    </>
  )
}

function Switch({ organisation, onClose, onDone }: { organisation: Organisation; onClose: () => void; onDone: () => void }) {
  const { id, name, isActive } = organisation
  return (
    <Confirm
      title={isActive ? `Switch ${name} off?` : `Switch ${name} on?`}
      action={isActive ? "Switch off" : "Switch on"}
      isDanger={isActive}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({ $type: isActive ? "DeactivateOrganizationCommand" : "ActivateOrganizationCommand", id })
        return isActive ? "Switched off" : "Switched on"
      }}
    >
      <p>{isActive ? "Nobody of it comes in, its webhooks answer 404, and what it has to do waits. What was accepted is not lost." : "Its accounts come in again, and what waited goes on, the oldest delivery first."}</p>
    </Confirm>
  )
}
