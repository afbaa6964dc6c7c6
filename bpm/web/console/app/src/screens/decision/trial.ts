// What is given to a decision that is tried: the values of its trial row, and further variables.

import { isObject, parse } from "../../exact_json"
import type { Column, Table } from "./model"

const PATH = /^[\p{L}_][\p{L}\d_ ]*(\.[\p{L}_][\p{L}\d_ ]*)*$/u
const OPERATORS = /\b(and|or|in|if|then|else|for|some|every|between)\b/

/** Whether a value can be given to what an input looks at: it is a variable, or a part of one. */
export function isGiven({ text }: Column): boolean {
  return PATH.test(text.trim()) && !OPERATORS.test(text)
}

/** Returns the variables that the values of a trial row make, by the ids of the columns. */
export function variablesOf(table: Table | undefined, values: Record<string, string>, further: Record<string, unknown>): Record<string, unknown> {
  const variables: Record<string, unknown> = { ...further }
  for (const column of (table?.inputs ?? []).filter(isGiven)) {
    const value = valueOf(values[column.id] ?? "", column.type)
    if (value !== undefined) put(variables, column.text.trim().split("."), value)
  }
  return variables
}

function put(variables: Record<string, unknown>, path: string[], value: unknown): void {
  const [name = "", ...rest] = path
  if (!rest.length) {
    variables[name] = value
    return
  }
  const inner = variables[name]
  const holder = isObject(inner) ? { ...inner } : {}
  variables[name] = holder
  put(holder, rest, value)
}

/** Numbers, truth values, lists and objects are read as JSON, unless the column is of texts. */
function valueOf(text: string, type: string): unknown {
  const plain = text.trim()
  if (!plain) return undefined
  if (type === "string" && !/^".*"$/s.test(plain)) return text
  try {
    return parse(plain)
  } catch {
    return text
  }
}
