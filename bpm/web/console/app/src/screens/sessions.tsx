// Where one is signed in, and signing out there.

import { useAsk } from "../asking"
import { Refused, send } from "../bus"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import { Button } from "../ui/button"
import { Page } from "../ui/page"
import { Failed, Loading } from "../ui/states"
import { Table, type Column } from "../ui/table"
import { Time } from "../ui/time"
import { toast } from "../ui/toast"

type Session = Schemas["SessionView"]

export function Sessions() {
  const asked = useAsk({ $type: "GetSessionListQuery", pageSize: 50 })
  const end = async (work: () => Promise<unknown>) => {
    try {
      await work()
      asked.again()
    } catch (error) {
      toast(error instanceof Refused ? error.errors.join(" · ") : String(error), true)
    }
  }
  const columns: Column<Session>[] = [
    { name: "Last used", width: "176px", cell: (row) => <Time at={row.usedAt} /> },
    { name: "State", width: "104px", cell: (row) => <Badge state={row.isOpen ? "open" : "ended"} /> },
    { name: "Browser", cell: (row) => <span title={row.userAgent}>{browserOf(row.userAgent)}</span> },
    { name: "From", width: "144px", isMinor: true, cell: (row) => row.address },
    { name: "Ends", width: "168px", isMinor: true, cell: (row) => <Time at={row.endedAt ?? row.endsAt} /> },
    {
      name: "Action",
      width: "112px",
      cell: (row) =>
        row.isOpen && (
          <Button kind="quiet" onClick={() => void end(() => send({ $type: "EndSessionCommand", id: row.id }))}>
            Sign out
          </Button>
        ),
    },
  ]
  return (
    <Page
      title="Your sessions"
      about="The browsers that are signed in as you. Users, keys and the audit log are under Anything."
      actions={
        <Button kind="danger" onClick={() => void end(() => send({ $type: "EndAllSessionsCommand" }))}>
          Sign out everywhere
        </Button>
      }
    >
      {asked.error && !asked.data && <Failed error={asked.error} onAgain={asked.again} />}
      {!asked.data && !asked.error && <Loading />}
      {asked.data && <Table label="Your sessions" columns={columns} rows={asked.data.items} keyOf={(row) => row.id} />}
    </Page>
  )
}

/** Returns what a browser and its system are called, out of all that it says about itself. */
function browserOf(agent: string): string {
  const program = /(Firefox|Edg|OPR|Chrome|Safari)\/[\d.]+/.exec(agent)?.[1] ?? agent.split(" ")[0]
  const system = /(Windows|Macintosh|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]
  return system ? `${program} on ${system}` : (program ?? "")
}
