// Names with templates: what is filled from a request, as in `{{payload.order.id}}`.

import { useState } from "preact/hooks"
import { parse, stringify } from "../exact_json"
import { Button, IconButton } from "../ui/button"
import { Field, Input, TextArea } from "../ui/field"

export interface Known {
  name: string
  isRequired: boolean
  help?: string | undefined
}

type Templates = Record<string, unknown>

interface Props {
  label: string
  known: Known[]
  /** Whether names beside the known ones may be added. */
  isOpen?: boolean
  value: Templates
  problems: Record<string, string>
  path: string
  onValue: (value: Templates) => void
}

export function TemplateFields({ label, known, isOpen = false, value, problems, path, onValue }: Props) {
  const [name, setName] = useState("")
  const names = known.map((each) => each.name)
  const own = Object.keys(value).filter((each) => !names.includes(each))
  const write = (each: string, template: unknown) => {
    const { [each]: _, ...rest } = value
    onValue(template === undefined ? rest : { ...rest, [each]: template })
  }
  const add = () => {
    if (name.trim() && !(name.trim() in value)) onValue({ ...value, [name.trim()]: "" })
    setName("")
  }
  return (
    <fieldset>
      <legend>{label}</legend>
      {[...known, ...own.map((each): Known => ({ name: each, isRequired: false }))].map((each) => (
        <Field key={each.name} label={each.name} help={each.help} isRequired={each.isRequired} problem={problems[`${path}.${each.name}`]}>
          {(attributes) => (
            <span class="row keep">
              <Template own={attributes} isAdded={own.includes(each.name)} value={value[each.name]} onValue={(template) => write(each.name, template)} />
              {own.includes(each.name) && <IconButton label={`Remove ${each.name}`} icon="close" onClick={() => write(each.name, undefined)} />}
            </span>
          )}
        </Field>
      ))}
      {isOpen && (
        <span class="row keep">
          <Input
            aria-label={`Name to add to ${label.toLowerCase()}`}
            placeholder="name"
            spellcheck={false}
            value={name}
            onText={setName}
            onKeyDown={(event) => {
              if (event.key !== "Enter") return
              event.preventDefault()
              add()
            }}
          />
          <Button icon="plus" disabled={!name.trim()} onClick={add}>
            Add
          </Button>
        </span>
      )}
    </fieldset>
  )
}

interface TemplateProps {
  own: object
  /** A name that was added stays until it is removed, so that it can be emptied. */
  isAdded: boolean
  value: unknown
  onValue: (value: unknown) => void
}

/** A template: text with `{{…}}`, or JSON that holds such texts. */
function Template({ own, isAdded, value, onValue }: TemplateProps) {
  const read = (written: string) => valueOf(written) ?? (isAdded ? "" : undefined)
  const [text, setText] = useState(() => (isAdded && value === "" ? "" : textOf(value)))
  const isHere = stringify(read(text)) === stringify(value)
  const shown = isHere ? text : textOf(value)
  const change = (changed: string) => {
    setText(changed)
    onValue(read(changed))
  }
  return <TextArea {...own} rows={1} class="control one-line" spellcheck={false} placeholder="{{payload.…}}" value={shown} onText={change} />
}

function textOf(value: unknown): string {
  return value === undefined ? "" : typeof value === "string" && valueOf(value) === value ? value : stringify(value)
}

function valueOf(text: string): unknown {
  if (text.trim() === "") return undefined
  try {
    return parse(text)
  } catch {
    return text
  }
}
