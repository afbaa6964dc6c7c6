// A message of the bus by its name, and how its fields are filled.

import { useEffect, useId } from "preact/hooks"
import { catalogue, isCommand, needCatalogue } from "../catalogue"
import { may } from "../session"
import { Field, Input } from "../ui/field"
import { limits, resolved, type Schema } from "./schema"
import { TemplateFields, type Known } from "./template_fields"

interface Props {
  label: string
  name: string
  parameters: Record<string, unknown> | undefined
  problems: Record<string, string>
  path: string
  onName: (name: string) => void
  onParameters: (parameters: Record<string, unknown> | undefined) => void
}

export function CommandFields({ label, name, parameters, problems, path, onName, onParameters }: Props) {
  useEffect(needCatalogue, [])
  const list = useId()
  const place = (field: string) => (path ? `${path}.${field}` : field)
  const entry = catalogue.value?.find((each) => each.type === name || each.aliases.includes(name))
  const offered = catalogue.value?.filter((each) => isCommand(each) && may(each.permission))
  return (
    <>
      <Field label={label} isRequired help={entry?.description.split("\n\n")[0]} problem={problems[place("commandName")]}>
        {(own) => <Input {...own} list={list} spellcheck={false} placeholder="PublishEventCommand" value={name} onText={onName} />}
      </Field>
      <datalist id={list}>
        {offered?.map((each) => (
          <option key={each.type} value={each.type} />
        ))}
      </datalist>
      <label class="checkbox">
        <input type="checkbox" checked={parameters === undefined} onChange={(event) => onParameters(event.currentTarget.checked ? undefined : {})} />
        Fill each field from the field of the same name in the body
      </label>
      {parameters !== undefined && (
        <TemplateFields
          label="Its fields"
          known={entry ? knownFields(entry.request as Schema) : []}
          isOpen={!entry}
          value={parameters}
          problems={problems}
          path={place("parameters")}
          onValue={onParameters}
        />
      )}
    </>
  )
}

function knownFields(schema: Schema): Known[] {
  const required = new Set(schema.required)
  return Object.entries(schema.properties ?? {})
    .filter(([name]) => name !== "$type")
    .map(([name, field]) => ({ name, isRequired: required.has(name), help: helpOf(resolved(field, schema)) }))
    .sort((one, other) => Number(other.isRequired) - Number(one.isRequired))
}

function helpOf(field: Schema): string {
  return [field.description, limits(field)].filter(Boolean).join(" · ")
}
