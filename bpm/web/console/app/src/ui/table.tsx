// A table whose columns have fixed widths and whose rows keep their places, so that nothing jumps while it is live.
// `j` and `k` go down and up, Enter opens.

import type { ComponentChildren } from "preact"
import { useSignal } from "@preact/signals"
import { go } from "../router"
import { isTyping, useKeys } from "./keys"

export interface Column<T> {
  name: string
  /** A CSS width; without one a column takes what is left. */
  width?: string
  /** Its width where the window is narrow. */
  narrow?: string
  /** Left out where the window is narrow. */
  isMinor?: boolean
  isNumber?: boolean
  /** Sentences, which take as many lines as they need. */
  isProse?: boolean
  cell: (row: T) => ComponentChildren
  /** What else stands in it where the window is narrow and the columns beside it are left out. */
  note?: (row: T) => string | null | undefined
}

interface Props<T> {
  label: string
  columns: ReadonlyArray<Column<T>>
  rows: readonly T[]
  keyOf: (row: T) => string
  addressOf?: (row: T) => string
}

export function Table<T>({ label, columns, rows, keyOf, addressOf }: Props<T>) {
  const chosen = useSignal<string>()
  useKeys((event) => {
    if (!addressOf || isTyping(event)) return
    const at = rows.findIndex((row) => keyOf(row) === chosen.value)
    const next = event.key === "j" ? rows[at + 1] : event.key === "k" ? rows[at - 1] : undefined
    if (next) chosen.value = keyOf(next)
    const row = rows[at]
    if (event.key === "Enter" && row && isRestingOn(event.target as Element)) go(addressOf(row))
  })

  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label={label}>
      <table onMouseOver={tell}>
        <colgroup>
          {columns.map((column) => (
            <col key={column.name} class={column.isMinor ? "minor" : ""} style={widths(column)} />
          ))}
        </colgroup>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column.name} scope="col" class={classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => {
            const key = keyOf(row)
            return (
              <tr key={key} class={key === chosen.value ? "chosen" : ""} ref={key === chosen.value ? show : null}>
                {columns.map((column, index) => (
                  <td key={column.name} class={classOf(column)}>
                    {index === 0 && addressOf ? <a href={addressOf(row)}>{column.cell(row) || keyOf(row)}</a> : column.cell(row)}
                    {column.note?.(row) && <span class="note">{column.note(row)}</span>}
                  </td>
                ))}
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

/** Whether the focus is on nothing, or on a place that only scrolls, so that Enter means the chosen row. */
function isRestingOn(element: Element): boolean {
  return element === document.body || element.matches("main, .table-frame")
}

/** Says on hover what a cell has no room for. */
function tell(event: { target: EventTarget | null }): void {
  const cell = (event.target as Element).closest<HTMLElement>("td, th")
  if (cell && !cell.querySelector("[title]")) cell.title = cell.scrollWidth > cell.clientWidth ? cell.innerText : ""
}

function widths({ width = "auto", narrow = width }: Column<never>) {
  return { "--width": width, "--narrow": narrow }
}

function classOf(column: Column<never>): string {
  return [column.isMinor && "minor", column.isNumber && "number", column.isProse && "sentences"].filter(Boolean).join(" ")
}

function show(element: HTMLTableRowElement | null): void {
  element?.scrollIntoView({ block: "nearest" })
}
