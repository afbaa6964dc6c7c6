// What somebody may do from now on: roles, and permissions beside them.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import type { Schemas } from "../../types"
import { Confirm } from "../../ui/confirm"
import { Permissions } from "./permissions"
import { ROLES } from "./roles"

type User = Schemas["UserView"]

export function Rights({ user, onClose, onDone }: { user: User; onClose: () => void; onDone: () => void }) {
  const [roles, setRoles] = useState(user.roles)
  const [permissions, setPermissions] = useState(user.permissions)
  const choices = [...ROLES, ...user.roles.filter((role) => !ROLES.some((each) => each.value === role)).map((role) => ({ value: role, label: role, about: "" }))]
  const changes = { ...(isOther(roles, user.roles) && { roles }), ...(isOther(permissions, user.permissions) && { permissions }) }
  const toggle = (role: string) => setRoles(roles.includes(role) ? roles.filter((each) => each !== role) : [...roles, role])
  return (
    <Confirm
      title={`What ${user.username} may do`}
      action="Save"
      isWide
      isReady={Object.keys(changes).length > 0}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({ $type: "UpdateUserCommand", id: user.id, ...changes })
        return `Saved; it holds for ${user.username} at once`
      }}
    >
      <fieldset>
        <legend>Roles</legend>
        {choices.map(({ value, label, about }) => (
          <label key={value} class="checkbox">
            <input type="checkbox" checked={roles.includes(value)} onChange={() => toggle(value)} />
            <span>
              {label} <span class="muted">{about}</span>
            </span>
          </label>
        ))}
      </fieldset>
      <details>
        <summary>Single permissions beside the roles{permissions.length > 0 && `: ${permissions.join(", ")}`}</summary>
        <Permissions chosen={permissions} onChoice={setPermissions} />
      </details>
    </Confirm>
  )
}

function isOther(now: string[], before: string[]): boolean {
  return now.toSorted().join() !== before.toSorted().join()
}
