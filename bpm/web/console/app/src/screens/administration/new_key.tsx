// Makes an API key: what it is for, what it may do, and until when.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { time } from "../../clock"
import { Confirm } from "../../ui/confirm"
import { Field, Input, Select } from "../../ui/field"
import { Permissions } from "./permissions"

const DAY = 86_400_000
const LASTING = [
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "a year" },
  { value: "", label: "until it is revoked" },
]

export function NewKey({ onClose, onDone, onKey }: { onClose: () => void; onDone: () => void; onKey: (key: string) => void }) {
  const [name, setName] = useState("")
  const [days, setDays] = useState("90")
  const [scopes, setScopes] = useState<string[]>([])
  return (
    <Confirm
      title="New key"
      action="Make the key"
      isWide
      isReady={name.trim() !== "" && scopes.length > 0}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        const expiresAt = days ? new Date(time() + Number(days) * DAY).toISOString() : null
        const { key } = await send({ $type: "CreateApiKeyCommand", name: name.trim(), scopes, expiresAt })
        onKey(key)
        return "The key is made"
      }}
    >
      <Field label="Name" isRequired help="Of the program that will use it.">
        {(own) => <Input {...own} autofocus maxLength={100} value={name} onText={setName} />}
      </Field>
      <Field label="Lasts">{(own) => <Select {...own} value={days} choices={LASTING} onChoice={setDays} />}</Field>
      <Permissions chosen={scopes} onChoice={setScopes} />
    </Confirm>
  )
}
