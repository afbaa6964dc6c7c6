// What is being written, kept by the tab until it is sent, the tab is closed, or somebody signs out: a page that is
// loaded again, or left and come back to, goes on where it was. Each account has its own, and secrets are not kept.

import { parse, stringify } from "./exact_json"
import { account } from "./session"

const HIDDEN = "***"
const SECRET = /^(secrets?|authorization|cookie|.*(password|token|api.?key))$/i

/** Returns what was kept of a place such as `rules/3`. */
export function recall<T>(place: string): T | undefined {
  const text = sessionStorage.getItem(keyOf(place))
  return text ? (parse(text) as T) : undefined
}

/** Keeps a value, or forgets it; what is too large for the browser to keep is not kept. */
export function keep(place: string, value: unknown): void {
  try {
    if (value !== undefined) sessionStorage.setItem(keyOf(place), stringify(value, 0, withoutSecrets))
    else sessionStorage.removeItem(keyOf(place))
  } catch {
    sessionStorage.removeItem(keyOf(place))
  }
}

function withoutSecrets(name: string, value: unknown): unknown {
  if (!SECRET.test(name)) return value
  if (Array.isArray(value)) return value.map((each) => (typeof each === "string" ? HIDDEN : each))
  return typeof value === "string" ? HIDDEN : value
}

function keyOf(place: string): string {
  return `bpm-draft:${account.value?.id}:${place}`
}
