// Two definitions compared line by line.

import { isObject, stringify } from "../../exact_json"

export interface Line {
  kind: "same" | "gone" | "new" | "left out"
  text: string
}

const MOST_CELLS = 4_000_000
/** Where more lines differ than this allows, all old ones are told as gone and all others as new. */
const CONTEXT = 3
/** So many lines beside a change stay in sight. */

/** Returns a definition in lines: one a field, and a text of several lines as these. */
export function linesOf(value: unknown, name = "", indent = ""): string[] {
  const begun = name ? `${indent}${name}: ` : indent
  if (typeof value === "string" && value.includes("\n")) return [begun.trimEnd(), ...value.trimEnd().split("\n").map((line) => `${indent}  ${line}`)]
  if (!isObject(value) && !Array.isArray(value)) return [begun + stringify(value)]
  const inner = name ? `${indent}  ` : indent
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  const sorted = Array.isArray(value) ? entries : entries.sort(([one], [other]) => (one < other ? -1 : 1))
  return [...(name ? [begun.trimEnd()] : []), ...sorted.flatMap(([key, each]) => linesOf(each, Array.isArray(value) ? "-" : key, inner))]
}

/** Returns what leads from one to the other; between the lines that both begin and end with, with as few changes as there can be. */
export function changesBetween(before: string[], after: string[]): Line[] {
  const shorter = Math.min(before.length, after.length)
  let head = 0
  while (head < shorter && before[head] === after[head]) head++
  let tail = 0
  while (tail < shorter - head && before[before.length - 1 - tail] === after[after.length - 1 - tail]) tail++
  const old = before.slice(head, before.length - tail)
  const now = after.slice(head, after.length - tail)
  const between = old.length * now.length > MOST_CELLS ? [...lines("gone", old), ...lines("new", now)] : fewest(old, now)
  return [...lines("same", before.slice(0, head)), ...between, ...lines("same", before.slice(before.length - tail))]
}

/** Returns the changes with what stands beside them; a line says how many others are left out. */
export function inSight(changes: Line[]): Line[] {
  const near = new Uint8Array(changes.length)
  changes.forEach(({ kind }, at) => kind !== "same" && near.fill(1, Math.max(at - CONTEXT, 0), at + CONTEXT + 1))
  const shown: Line[] = []
  for (let at = 0; at < changes.length; ) {
    const next = near.indexOf(near[at] ? 0 : 1, at)
    const run = changes.slice(at, next < 0 ? undefined : next)
    if (near[at] || run.length === 1) shown.push(...run)
    else shown.push({ kind: "left out", text: `${run.length.toLocaleString()} lines as they were` })
    at += run.length
  }
  return shown
}

function lines(kind: Line["kind"], texts: string[]): Line[] {
  return texts.map((text) => ({ kind, text }))
}

function fewest(old: string[], now: string[]): Line[] {
  const common = Array.from({ length: old.length + 1 }, () => new Uint16Array(now.length + 1))
  const at = (row: number, column: number) => common[row]?.[column] ?? 0
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      const best = old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
      const cells = common[row]
      if (cells) cells[column] = best
    }
  }
  const found: Line[] = []
  let [row, column] = [0, 0]
  while (row < old.length || column < now.length) {
    const [gone, added] = [old[row], now[column]]
    if (gone !== undefined && gone === added) {
      found.push({ kind: "same", text: gone })
      row++
      column++
    } else if (gone !== undefined && (added === undefined || at(row + 1, column) >= at(row, column + 1))) {
      found.push({ kind: "gone", text: gone })
      row++
    } else {
      found.push({ kind: "new", text: added ?? "" })
      column++
    }
  }
  return found
}
