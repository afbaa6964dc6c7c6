// JSON Schema as the catalogue writes it, and what kind of control a value of it needs.

import { stringify } from "../exact_json"

export interface Schema {
  $ref?: string
  $defs?: Record<string, Schema>
  type?: string | string[]
  const?: unknown
  enum?: unknown[]
  examples?: unknown[]
  anyOf?: Schema[]
  oneOf?: Schema[]
  properties?: Record<string, Schema>
  required?: string[]
  items?: Schema
  additionalProperties?: boolean | Schema
  default?: unknown
  description?: string
  format?: string
  minLength?: number
  maxLength?: number
  minimum?: number
  maximum?: number
}

export type Kind = "text" | "long" | "number" | "boolean" | "choice" | "moment" | "texts" | "object" | "objects" | "json"

const LONG = 1000
/** Texts that may be longer than this get room. */

/** Returns a schema without references and without the alternative `null`. */
export function resolved(schema: Schema, root: Schema): Schema {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop() ?? ""
    const { $ref: _, ...beside } = schema
    return resolved({ ...root.$defs?.[name], ...beside }, root)
  }
  const choices = (schema.anyOf ?? schema.oneOf)?.filter((each) => each.type !== "null")
  const [only] = choices ?? []
  if (choices?.length === 1 && only) {
    const { anyOf: _, oneOf: __, ...beside } = schema
    return resolved({ ...only, ...beside }, root)
  }
  return schema
}

export function isNullable(schema: Schema): boolean {
  return typesOf(schema).includes("null") || Boolean(schema.anyOf?.some((each) => each.type === "null"))
}

export function kindOf(schema: Schema, root: Schema): Kind {
  const plain = resolved(schema, root)
  if (plain.enum) return "choice"
  const [type, ...others] = typesOf(plain).filter((each) => each !== "null")
  if (others.length || !type) return "json"
  if (type === "string") return plain.format === "date-time" ? "moment" : (plain.maxLength ?? 0) > LONG ? "long" : "text"
  if (type === "integer" || type === "number") return "number"
  if (type === "boolean") return "boolean"
  if (type === "array") return kindOfItems(plain.items ?? {}, root)
  return type === "object" && plain.properties ? "object" : "json"
}

function kindOfItems(items: Schema, root: Schema): Kind {
  const kind = kindOf(items, root)
  return kind === "text" || kind === "choice" ? "texts" : kind === "object" ? "objects" : "json"
}

function typesOf(schema: Schema): string[] {
  return Array.isArray(schema.type) ? schema.type : schema.type ? [schema.type] : []
}

/** Returns the schema of an object with these of its fields. */
export function only({ properties = {}, required = [], ...schema }: Schema, names: readonly string[]): Schema {
  const kept = Object.fromEntries(names.flatMap((name) => (properties[name] ? [[name, properties[name]]] : [])))
  return { ...schema, properties: kept, required: required.filter((name) => names.includes(name)) }
}

/** Says in words what may stand in a field. */
export function limits(schema: Schema): string {
  const { minimum, maximum, minLength, maxLength, format } = schema
  const words = [
    schema.default !== undefined && schema.default !== null && `usually ${stringify(schema.default)}`,
    minimum !== undefined && maximum !== undefined && maximum < 1e12 && `${minimum} to ${maximum}`,
    maxLength !== undefined && `at most ${maxLength} characters`,
    minLength !== undefined && minLength > 1 && `at least ${minLength}`,
    format === "date-time" && "as in 2026-01-31T09:30:00Z",
  ]
  return words.filter(Boolean).join(", ")
}
