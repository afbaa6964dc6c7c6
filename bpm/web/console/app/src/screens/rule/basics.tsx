// Where a rule answers, and what it is for.

import { Field, Input, Select, TextArea } from "../../ui/field"
import type { Fields } from "./draft"

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

interface BasicsProps {
  isNew: boolean
  fields: Fields
  problems: Record<string, string>
  onChange: (changes: Partial<Record<keyof Fields, unknown>>) => void
}

export function Basics({ isNew, fields, problems, onChange }: BasicsProps) {
  return (
    <section class="card">
      <h2>Where it answers</h2>
      <div class="card-body stack">
        {isNew && (
          <Field label="Key" isRequired help="Its name for ever: letters, digits, dots, underscores and dashes." problem={problems["key"]}>
            {(own) => <Input {...own} autofocus spellcheck={false} value={fields.key} onText={(key) => onChange({ key, ...(fields.path === fields.key && { path: key }) })} />}
          </Field>
        )}
        <div class="address">
          <Field label="Method" problem={problems["action"]}>
            {(own) => <Select {...own} value={fields.action} choices={METHODS} onChoice={(action) => onChange({ action })} />}
          </Field>
          <Field label="Path" isRequired help="Below /api/webhooks; {names} take parts of it, as in orders/{id}." problem={problems["path"]}>
            {(own) => <Input {...own} spellcheck={false} value={fields.path} onText={(path) => onChange({ path })} />}
          </Field>
        </div>
        <Field label="Description" isRequired problem={problems["description"]}>
          {(own) => <TextArea {...own} class="control prose" rows={1} value={fields.description} onText={(description) => onChange({ description })} />}
        </Field>
        {isNew && (
          <label class="checkbox">
            <input type="checkbox" checked={fields.isEnabled} onChange={(event) => onChange({ isEnabled: event.currentTarget.checked })} />
            It answers as soon as it is created
          </label>
        )}
      </div>
    </section>
  )
}
