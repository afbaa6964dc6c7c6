// The browsers that are signed in, one's own or everybody's, and signing them out.

import { useState } from "preact/hooks"
import { Refused, send } from "../../bus"
import { place, refine } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Select } from "../../ui/field"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { toast } from "../../ui/toast"
import { List, useList } from "../list"
import { OwnPassword } from "./own_password"
import { useUserNames } from "./user_names"

type Session = Schemas["SessionView"]

const WHOSE = [
  { value: "", label: "Yours" },
  { value: "everybody", label: "Everybody's" },
]

export function Sessions() {
  const isEverybody = place.value.filters["of"] === "everybody"
  const asked = useList({ $type: "GetSessionListQuery", everybody: isEverybody })
  const nameOf = useUserNames()
  const [isLeaving, leave] = useState(false)
  const [isChanging, change] = useState(false)
  const end = async (id: string) => {
    try {
      await send({ $type: "EndSessionCommand", id })
      toast("Signed out there")
    } catch (error) {
      toast(Refused.of(error).errors.join(" · "), true)
    }
    asked.again()
  }
  const columns: Column<Session>[] = [
    { name: "Last used", width: "164px", narrow: "96px", cell: (row) => <Time at={row.usedAt} /> },
    { name: "State", width: "104px", narrow: "88px", cell: (row) => <Badge state={row.isOpen ? "open" : "ended"} /> },
    { name: "User", width: "144px", isMinor: true, cell: (row) => nameOf(row.userId) },
    { name: "Browser", cell: (row) => <span title={row.userAgent}>{browserOf(row.userAgent)}</span> },
    { name: "From", width: "144px", isMinor: true, cell: (row) => row.address },
    { name: "Ends", width: "136px", isMinor: true, cell: (row) => <Time at={row.endedAt ?? row.endsAt} age={false} /> },
    {
      name: "Action",
      width: "112px",
      narrow: "92px",
      cell: (row) =>
        row.isOpen &&
        (!isEverybody || may("users:write")) && (
          <Button kind="quiet" onClick={() => void end(row.id)}>
            Sign out
          </Button>
        ),
    },
  ]
  return (
    <>
      <List
        label="Sessions"
        asked={asked}
        columns={columns}
        keyOf={(row) => row.id}
        isSearched={false}
        filters={
          <>
            {may("users:read") && (
              <Select aria-label="Whose" value={isEverybody ? "everybody" : ""} choices={WHOSE} onChoice={(of) => refine({ of, page: undefined })} />
            )}
            <Button onClick={() => change(true)}>Change my password</Button>
            <Button kind="danger" onClick={() => leave(true)}>
              Sign out everywhere
            </Button>
          </>
        }
        empty="Who signs in to the console stands here."
      />
      {isChanging && <OwnPassword onClose={() => change(false)} onDone={asked.again} />}
      {isLeaving && (
        <Confirm
          title="Sign out everywhere?"
          action="Sign out"
          isDanger
          onClose={() => leave(false)}
          onDone={asked.again}
          onAct={async () => (await send({ $type: "EndAllSessionsCommand" }), "Signed out everywhere")}
        >
          <p>Every browser and every token of yours ends, this one as well. API keys go on.</p>
        </Confirm>
      )}
    </>
  )
}

/** Returns what a browser and its system are called, out of all that it says about itself. */
function browserOf(agent: string): string {
  const program = /(Firefox|Edg|OPR|Chrome|Safari)\/[\d.]+/.exec(agent)?.[1] ?? agent.split(" ")[0]
  const system = /(Windows|Macintosh|Android|iPhone|iPad|Linux)/.exec(agent)?.[1]
  return system ? `${program} on ${system}` : (program ?? "")
}
