// Two definitions compared line by line.

import { isObject, stringify } from "../../exact_json"

export interface Line {
  kind: "same" | "gone" | "new"
  text: string
}

const MOST = 2_000
/** Beyond this many lines of one side, only what both begin with is compared. */

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

/** Returns what leads from one to the other with as few changed lines as there can be. */
export function changesBetween(before: string[], after: string[]): Line[] {
  const [old, now] = [before.slice(0, MOST), after.slice(0, MOST)]
  const common = old.map(() => new Uint16Array(now.length + 1)).concat(new Uint16Array(now.length + 1))
  const at = (row: number, column: number) => common[row]?.[column] ?? 0
  for (let row = old.length - 1; row >= 0; row--) {
    for (let column = now.length - 1; column >= 0; column--) {
      const best = old[row] === now[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
      const cells = common[row]
      if (cells) cells[column] = best
    }
  }
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < old.length || column < now.length) {
    const [gone, added] = [old[row], now[column]]
    if (gone !== undefined && gone === added) {
      lines.push({ kind: "same", text: gone })
      row++
      column++
    } else if (gone !== undefined && (added === undefined || at(row + 1, column) >= at(row, column + 1))) {
      lines.push({ kind: "gone", text: gone })
      row++
    } else {
      lines.push({ kind: "new", text: added ?? "" })
      column++
    }
  }
  return lines
}
