// Rows that are live and keep their places: new ones are counted above them until somebody asks for them.

import { useEffect, useState } from "preact/hooks"

interface Steady<R> {
  rows: R[]
  /** How many came that are not shown. */
  fresh: number
  show: () => void
}

/** Keeps the rows that are shown in their places, with their newest states; other `filters` begin anew. */
export function useSteady<R>(items: R[] | undefined, keyOf: (row: R) => string, filters: string): Steady<R> {
  const [shown, setShown] = useState<string[]>()
  useEffect(() => setShown(undefined), [filters])
  useEffect(() => {
    if (items && !shown?.length && items.length !== shown?.length) setShown(items.map(keyOf))
  }, [items, shown])
  const newest = items ?? []
  const known = new Set(shown)
  const fresh = shown?.length ? newest.filter((row) => !known.has(keyOf(row))).length : 0
  const rows = fresh ? newest.filter((row) => known.has(keyOf(row))) : newest
  return { rows, fresh, show: () => setShown(newest.map(keyOf)) }
}

export function Fresh({ count, onShow }: { count: number; onShow: () => void }) {
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
