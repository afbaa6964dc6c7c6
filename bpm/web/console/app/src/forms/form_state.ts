// What has been entered into a deployed form, by the paths that the bus uses: `order.rows[0].price`.

import type { Schemas } from "../types"

export type Values = Record<string, unknown>
export type ShownField = Schemas["ShownFieldView"]
export type Component = {
  type: string
  id?: string
  key?: string
  path?: string
  label?: string
  description?: string
  text?: string
  subtype?: "date" | "time" | "datetime"
  defaultValue?: unknown
  serializeToString?: boolean
  components?: Component[]
}

const STEP = /[^.[\]]+/g

/** Returns the value at a path, or undefined. */
export function valueAt(values: unknown, path: string): unknown {
  return stepsOf(path).reduce<unknown>((found, step) => (found as Values | undefined)?.[step], values)
}

/** Returns the values with another one at a path; undefined takes it away. */
export function withValue(values: Values, path: string, value: unknown): Values {
  return put(values, stepsOf(path), value) as Values
}

function put(holder: unknown, [step, ...rest]: string[], value: unknown): unknown {
  if (step === undefined) return value
  if (Array.isArray(holder)) return holder.map((each: unknown, index) => (String(index) === step ? put(each, rest, value) : each))
  const { [step]: before, ...others } = (holder ?? {}) as Values
  const after = put(before, rest, value)
  return after === undefined ? others : { ...others, [step]: after }
}

/** Returns what stands in the fields of a form that was just opened: what they hold, and the values that it names itself. */
export function opened(components: Component[], fields: ShownField[]): Values {
  const held = fields.filter(({ path, value }) => !path.includes("[") && value !== null && value !== undefined)
  return beginning(
    components,
    held.reduce<Values>((values, { path, value }) => withValue(values, path, value), {}),
  )
}

function beginning(components: Component[], variables: Values): Values {
  return components.reduce<Values>((values, component) => {
    if (component.type === "group") {
      const inner = beginning(component.components ?? [], inside(variables, component.path))
      return component.path ? withValue(values, component.path, inner) : { ...values, ...inner }
    }
    const path = component.key ?? component.path
    const value = path ? (valueAt(variables, path) ?? component.defaultValue) : undefined
    return path && value !== undefined && value !== null ? withValue(values, path, value) : values
  }, {})
}

function inside(variables: Values, path: string | undefined): Values {
  return path ? ((valueAt(variables, path) ?? {}) as Values) : variables
}

/** Returns what is sent of the values: that of fields which are shown and can be changed. */
export function entered(values: Values, fields: ShownField[]): Values {
  const lists = fields.filter(({ path }) => fields.some((other) => other.path.startsWith(`${path}[`))).map(({ path }) => path)
  return fields
    .filter(({ path, isLocked }) => !isLocked && !lists.some((list) => path.startsWith(`${list}[`)))
    .reduce<Values>((sent, { path }) => {
      const value = valueAt(values, path)
      return value === undefined ? sent : withValue(sent, path, value)
    }, {})
}

/** Returns a path as problems are found by: `order.rows.0.price`. */
export function dotted(path: string): string {
  return stepsOf(path).join(".")
}

function stepsOf(path: string): string[] {
  return path.match(STEP) ?? []
}
