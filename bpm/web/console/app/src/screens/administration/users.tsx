// People and service accounts: what each may do, and switching them off and on.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Field, Input, Select } from "../../ui/field"
import { ShownOnce } from "../../ui/shown_once"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { List, useList } from "../list"
import { Rights } from "./rights"
import { ROLES } from "./roles"
import { useUserNames } from "./user_names"

type User = Schemas["UserView"]
type Kind = User["kind"]

const KINDS = [
  { value: "user", label: "a person, who signs in with a password" },
  { value: "service", label: "a service account, which uses keys" },
]

export function Users() {
  const asked = useList({ $type: "GetUserListQuery" })
  const [isMaking, make] = useState(false)
  const [password, show] = useState<string>()
  const [switched, ask] = useState<User>()
  const [changed, change] = useState<User>()
  const mayWrite = may("users:write")
  const nameOf = useUserNames()
  const columns: Column<User>[] = [
    { name: "Name", cell: (row) => row.username, note: (row) => row.roles.join(", ") },
    { name: "State", width: "104px", cell: (row) => <Badge state={row.isEnabled ? "on" : "off"} /> },
    { name: "Kind", width: "96px", isMinor: true, cell: (row) => row.kind },
    { name: "May", isMinor: true, cell: (row) => [...row.roles, ...row.permissions].join(", ") || "nothing" },
    { name: "Since", width: "176px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
    { name: "Made by", width: "128px", isMinor: true, cell: (row) => makerOf(row, nameOf) },
    {
      name: "Action",
      width: "184px",
      narrow: "104px",
      cell: (row) =>
        mayWrite && (
          <span class="row acts">
            <Button kind="quiet" onClick={() => ask(row)}>
              {row.isEnabled ? "Disable" : "Enable"}
            </Button>
            <Button kind="quiet" onClick={() => change(row)}>
              Rights
            </Button>
          </span>
        ),
    },
  ]
  return (
    <>
      <List
        label="Users"
        asked={asked}
        columns={columns}
        keyOf={(row) => String(row.id)}
        filters={
          mayWrite && (
            <Button kind="main" icon="plus" onClick={() => make(true)}>
              New user
            </Button>
          )
        }
        empty="Whoever signs in stands here."
      />
      {isMaking && <NewUser onClose={() => make(false)} onDone={asked.again} onPassword={show} />}
      {password && (
        <ShownOnce title="The first password" secret={password} about="It is shown this once: hand it to its user." onClose={() => show(undefined)} />
      )}
      {changed && <Rights user={changed} onClose={() => change(undefined)} onDone={asked.again} />}
      {switched && <Switch user={switched} onClose={() => ask(undefined)} onDone={asked.again} />}
    </>
  )
}

function makerOf({ createdBy }: User, nameOf: (id: number) => string): string | null {
  const id = /^user:(\d+)$/.exec(createdBy ?? "")?.[1]
  return id ? nameOf(Number(id)) : createdBy
}

function NewUser({ onClose, onDone, onPassword }: { onClose: () => void; onDone: () => void; onPassword: (password: string) => void }) {
  const [username, setName] = useState("")
  const [kind, setKind] = useState<Kind>("user")
  const [role, setRole] = useState("viewer")
  return (
    <Confirm
      title="New user"
      action="Make the user"
      isReady={username.trim() !== ""}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        const { password } = await send({ $type: "CreateUserCommand", username: username.trim(), kind, roles: [role] })
        if (password) onPassword(password)
        return "The user is made"
      }}
    >
      <Field label="User name" isRequired>
        {(own) => <Input {...own} autofocus autocomplete="off" spellcheck={false} value={username} onText={setName} />}
      </Field>
      <Field label="Is">{(own) => <Select {...own} value={kind} choices={KINDS} onChoice={(each) => setKind(each as Kind)} />}</Field>
      <Field label="Role" help={`${role}: ${ROLES.find((each) => each.value === role)?.about}. Nobody gives on what they may not do themselves.`}>
        {(own) => <Select {...own} value={role} choices={ROLES} onChoice={setRole} />}
      </Field>
    </Confirm>
  )
}

function Switch({ user, onClose, onDone }: { user: User; onClose: () => void; onDone: () => void }) {
  const { isEnabled, id, username } = user
  return (
    <Confirm
      title={isEnabled ? `Disable ${username}?` : `Enable ${username}?`}
      action={isEnabled ? "Disable" : "Enable"}
      isDanger={isEnabled}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send(isEnabled ? { $type: "DisableUserCommand", id } : { $type: "UpdateUserCommand", id, isEnabled: true })
        return isEnabled ? "Disabled" : "Enabled"
      }}
    >
      <p>
        {isEnabled
          ? "Their browsers, tokens and keys stop at once, and so does what acts for them: rules and processes wait until they are enabled again."
          : "They sign in again as before; what acts for them goes on."}
      </p>
    </Confirm>
  )
}
