// API keys: what machines send instead of a password. Each is shown when it is made and never again.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { time } from "../../clock"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { ShownOnce } from "../../ui/shown_once"
import type { Column } from "../../ui/table"
import { Time } from "../../ui/time"
import { List, useList } from "../list"
import { NewKey } from "./new_key"
import { useUserNames } from "./user_names"

type Key = Schemas["ApiKeyView"]

export function Keys() {
  const asked = useList({ $type: "GetApiKeyListQuery" })
  const nameOf = useUserNames()
  const [isMaking, make] = useState(false)
  const [made, show] = useState<string>()
  const [revoked, revoke] = useState<Key>()
  const mayWrite = may("users:write")
  const columns: Column<Key>[] = [
    { name: "Name", cell: (row) => row.name },
    { name: "State", width: "104px", cell: (row) => <Badge state={stateOf(row)} /> },
    { name: "Begins with", width: "176px", isMinor: true, cell: (row) => <code>bpm_{row.id}_</code> },
    { name: "Of", width: "96px", isMinor: true, cell: (row) => nameOf(row.userId) },
    { name: "May", isMinor: true, cell: (row) => <span title={row.scopes.join("\n")}>{row.scopes.join(", ")}</span> },
    { name: "Last used", width: "164px", isMinor: true, cell: (row) => <Time at={row.lastUsedAt} /> },
    { name: "Ends", width: "120px", isMinor: true, cell: (row) => <Time at={row.revokedAt ?? row.expiresAt} age={false} /> },
    {
      name: "Action",
      width: "104px",
      cell: (row) =>
        mayWrite &&
        !row.revokedAt && (
          <Button kind="quiet" onClick={() => revoke(row)}>
            Revoke
          </Button>
        ),
    },
  ]
  return (
    <>
      <List
        label="Keys"
        asked={asked}
        columns={columns}
        keyOf={(row) => row.id}
        filters={
          mayWrite && (
            <Button kind="main" icon="plus" onClick={() => make(true)}>
              New key
            </Button>
          )
        }
        empty="A program that sends messages needs a key of its own."
      />
      {isMaking && <NewKey onClose={() => make(false)} onDone={asked.again} onKey={show} />}
      {made && (
        <ShownOnce
          title="The new key"
          secret={made}
          about="Programs send it as bearer token. It is shown this once; whoever has it may do what it may."
          onClose={() => show(undefined)}
        />
      )}
      {revoked && <Revoke apiKey={revoked} onClose={() => revoke(undefined)} onDone={asked.again} />}
    </>
  )
}

function Revoke({ apiKey, onClose, onDone }: { apiKey: Key; onClose: () => void; onDone: () => void }) {
  const [isWhole, setWhole] = useState(false)
  return (
    <Confirm
      title={`Revoke ${apiKey.name}?`}
      action="Revoke it"
      isDanger
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        const { accounts } = await send({ $type: "RevokeApiKeyCommand", id: apiKey.id, disableAccounts: isWhole })
        const names = accounts.map((user) => user.username).join(", ")
        return names ? `Revoked; it had made ${names}` : "Revoked"
      }}
    >
      <p>It stops at once and for good, and so do the keys, rules and processes that were made with it.</p>
      <label class="checkbox">
        <input type="checkbox" checked={isWhole} onChange={(event) => setWhole(event.currentTarget.checked)} />
        Disable the accounts that were made with it, too
      </label>
    </Confirm>
  )
}

function stateOf(key: Key): string {
  if (key.revokedAt) return "revoked"
  return key.expiresAt && Date.parse(key.expiresAt) <= time() ? "ended" : "active"
}
