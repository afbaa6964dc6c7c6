// A form that was deployed beside its process (`.form`), drawn with the console's own fields.
//
// What is shown, locked, required and offered is asked of the bus, which evaluates the form's expressions as it does
// when the task is completed.

import { useEffect, useState } from "preact/hooks"
import { useAsk } from "../asking"
import { isSame, numberOf } from "../exact_json"
import { Button, IconButton } from "../ui/button"
import { type Choice, Field, Input, Select, TextArea } from "../ui/field"
import { Refusal } from "../ui/refusal"
import { Loading } from "../ui/states"
import { type Component, dotted, opened, type ShownField, type Values, valueAt, withValue } from "./form_state"

const PAUSE_MILLISECONDS = 250
/** So long after the last key the bus is asked anew. */

interface Props {
  task: { instanceId: number; waitId: number }
  components: Component[]
  /** What has been entered; undefined before the form was opened. */
  values: Values | undefined
  problems: Record<string, string>
  onValues: (values: Values) => void
  onFields: (fields: ShownField[]) => void
}

interface Drawn extends Omit<Props, "task" | "onFields" | "values"> {
  values: Values
  /** Where the values of these components stand, with a dot behind it; empty for the form itself. */
  within: string
  fields: Map<string, ShownField>
}

export function DeployedForm({ task, components, values, problems, onValues, onFields }: Props) {
  const settled = useSettled(values)
  const asked = useAsk({ $type: "GetUserTaskFormQuery", instanceId: task.instanceId, waitId: task.waitId, ...(settled && { variables: settled }) })
  const fields = asked.data?.fields
  useEffect(() => {
    if (!fields) return
    onFields(fields)
    if (!values) onValues(opened(components, fields))
  }, [fields])
  if (!fields || !values) return asked.error ? <Refusal refused={asked.error} /> : <Loading rows={3} />
  const byPath = new Map(fields.map((field) => [field.path, field]))
  return (
    <>
      {asked.error && <Refusal refused={asked.error} />}
      <Components components={components} within="" fields={byPath} values={values} problems={problems} onValues={onValues} />
    </>
  )
}

/** Returns the values of a moment ago, once nobody has typed for that long. */
function useSettled(values: Values | undefined): Values | undefined {
  const [settled, settle] = useState(values)
  useEffect(() => {
    const timer = setTimeout(() => settle(values), PAUSE_MILLISECONDS)
    return () => clearTimeout(timer)
  }, [values])
  return settled
}

function Components(props: Drawn) {
  return (
    <>
      {props.components.map((component, index) => (
        <One key={component.id ?? index} {...props} component={component} />
      ))}
    </>
  )
}

function One({ component, ...props }: Drawn & { component: Component }) {
  const { within, fields } = props
  switch (component.type) {
    case "group":
      return <Group {...props} component={component} />
    case "separator":
      return <hr />
    case "text":
      return component.text && !component.text.startsWith("=") ? <p>{component.text}</p> : null
  }
  const path = `${within}${component.key ?? component.path ?? ""}`
  const field = fields.get(path)
  if (!field) return null
  if (component.type === "dynamiclist") return <Rows {...props} component={component} path={path} />
  return <Entry {...props} component={component} field={field} />
}

function Group({ component, ...props }: Drawn & { component: Component }) {
  const within = component.path ? `${props.within}${component.path}.` : props.within
  const inner = <Components {...props} within={within} components={component.components ?? []} />
  if (component.path && !props.fields.has(within.slice(0, -1))) return null
  return component.label ? (
    <fieldset>
      <legend>{component.label}</legend>
      {inner}
    </fieldset>
  ) : (
    inner
  )
}

function Rows({ component, path, ...props }: Drawn & { component: Component; path: string }) {
  const rows = (valueAt(props.values, path) as unknown[] | undefined) ?? []
  const write = (changed: unknown[]) => props.onValues(withValue(props.values, path, changed))
  const label = component.label ?? path
  return (
    <fieldset>
      <legend>{label}</legend>
      {rows.map((_, index) => (
        <fieldset key={index}>
          <legend class="row">
            {index + 1}
            <IconButton label={`Remove ${index + 1} of ${label}`} icon="close" onClick={() => write(rows.filter((_each, at) => at !== index))} />
          </legend>
          <Components {...props} within={`${path}[${index}].`} components={component.components ?? []} />
        </fieldset>
      ))}
      <div>
        <Button icon="plus" onClick={() => write([...rows, {}])}>
          one more
        </Button>
      </div>
    </fieldset>
  )
}

function Entry({ component, field, values, problems, onValues }: Drawn & { component: Component; field: ShownField }) {
  const value = valueAt(values, field.path)
  const write = (changed: unknown) => onValues(withValue(values, field.path, changed))
  return (
    <Field label={component.label ?? field.path} help={component.description} isRequired={field.isRequired} problem={problems[dotted(field.path)]}>
      {(own) => <Control own={{ ...own, disabled: field.isLocked }} component={component} field={field} value={value} onValue={write} />}
    </Field>
  )
}

interface ControlProps {
  own: { id: string; disabled: boolean }
  component: Component
  field: ShownField
  value: unknown
  onValue: (value: unknown) => void
}

function Control(props: ControlProps) {
  const { own, component, value, onValue } = props
  const write = (text: string) => onValue(text === "" ? undefined : text)
  const text = value === undefined || value === null ? "" : String(value)
  switch (component.type) {
    case "checkbox":
      return <input type="checkbox" {...own} checked={value === true} onChange={(event) => onValue(event.currentTarget.checked)} />
    case "radio":
    case "select":
      return <OneOf {...props} />
    case "checklist":
    case "taglist":
      return <SomeOf {...props} />
    case "textarea":
      return <TextArea {...own} class="control prose" rows={4} value={text} onText={write} />
    case "number":
      return <Input {...own} inputMode="decimal" value={text} onText={(typed) => onValue(component.serializeToString ? typed || undefined : numberOr(typed))} />
    case "datetime":
      if (component.subtype === "date") return <Input {...own} type="date" value={text} onText={write} />
      if (component.subtype === "time") return <Input {...own} type="time" value={text} onText={write} />
      return <Input {...own} type="datetime-local" value={text} onText={write} />
    default:
      return <Input {...own} value={text} onText={write} />
  }
}

function OneOf({ own, field, value, onValue }: ControlProps) {
  const options = field.options ?? []
  const choices: Choice[] = [{ value: "", label: "–" }, ...options.map((each, index) => ({ value: String(index), label: each.label }))]
  const chosen = options.findIndex((each) => isSame(each.value, value))
  return (
    <Select {...own} value={chosen < 0 ? "" : String(chosen)} choices={choices} onChoice={(index) => onValue(index === "" ? undefined : options[Number(index)]?.value)} />
  )
}

function SomeOf({ own, field, value, onValue }: ControlProps) {
  const chosen = (value as unknown[] | undefined) ?? []
  const toggle = (each: unknown, isOn: boolean) => onValue(isOn ? [...chosen, each] : chosen.filter((other) => !isSame(other, each)))
  return (
    <div id={own.id} role="group" class="stack">
      {(field.options ?? []).map((each) => (
        <label key={each.label} class="checkbox">
          <input
            type="checkbox"
            disabled={own.disabled}
            checked={chosen.some((other) => isSame(other, each.value))}
            onChange={(event) => toggle(each.value, event.currentTarget.checked)}
          />
          {each.label}
        </label>
      ))}
    </div>
  )
}

/** Keeps what is no number as it was typed, so that the bus says what is wrong with it. */
function numberOr(text: string): unknown {
  return text.trim() === "" ? undefined : (numberOf(text) ?? text)
}
