// Rows that are live and keep their places: new ones are counted above them until somebody asks for them.

import { useEffect, useState } from "preact/hooks"

interface Page<R> {
  items: R[]
  hasNextPage: boolean
}

interface Steady<R> {
  rows: R[]
  /** How many came that are not shown, as it is said; empty where none did. */
  fresh: string
  show: () => void
}

/** Keeps the rows of the first answer to a `question` in their places, each as it was told last. */
export function useSteady<R>(page: Page<R> | undefined, keyOf: (row: R) => string, question: string | undefined): Steady<R> {
  const [kept, keep] = useState<{ question: string | undefined; rows: R[] }>({ question: undefined, rows: [] })
  const newest = page?.items ?? []
  const isKept = kept.question === question && kept.rows.length > 0
  const show = () => keep({ question, rows: newest })
  useEffect(() => {
    if (page && !isKept) show()
  }, [page, isKept])
  if (!page || !isKept) return { rows: newest, fresh: "", show }
  const known = new Set(kept.rows.map(keyOf))
  const count = newest.filter((row) => !known.has(keyOf(row))).length
  const fresh = count < newest.length || !page.hasNextPage ? count : `${count} or more`
  return { rows: standing(kept.rows, page, keyOf), fresh: fresh ? String(fresh) : "", show }
}

/** Rows that newer ones have pushed off the page stay; those that are gone from the list go. */
function standing<R>(rows: R[], { items, hasNextPage }: Page<R>, keyOf: (row: R) => string): R[] {
  const told = new Map(items.map((row) => [keyOf(row), row]))
  const last = rows.map((row) => told.has(keyOf(row))).lastIndexOf(true)
  const isPushedOff = (at: number) => hasNextPage && at > last
  return rows.map((row) => told.get(keyOf(row)) ?? row).filter((row, at) => told.has(keyOf(row)) || isPushedOff(at))
}

export function Fresh({ count, onShow }: { count: string; onShow: () => void }) {
  if (!count) return null
  return (
    <div class="notice calm" role="status">
      {count} new
      <button type="button" class="link" onClick={onShow}>
        Show
      </button>
    </div>
  )
}
