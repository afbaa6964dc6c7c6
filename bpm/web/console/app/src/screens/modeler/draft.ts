// A file that is being written: kept by the tab until it is deployed, the tab is closed, or somebody signs out.

import { useCallback, useRef, useState } from "preact/hooks"
import { keep, recall } from "../../kept"

export interface Draft {
  xml: string
  /** The version that it began from; 0 for none. */
  version: number
}

export interface Writing {
  draft: Draft
  isChanged: boolean
  write: (change: (xml: string) => string) => void
  /** Takes back everything that was written. */
  forget: () => void
  /** Forgets that it was kept, because it is deployed. */
  settle: () => void
}

/** Returns the file at an address such as `diagrams/3`, as it was left there, or as it is saved. */
export function useDraft(place: string, saved: Draft): Writing {
  const [kept, setKept] = useState(() => recall<Draft>(place))
  const newest = useRef(kept ?? saved)
  const write = useCallback((change: (xml: string) => string) => {
    const { xml, version } = newest.current
    newest.current = { xml: change(xml), version }
    keep(place, newest.current)
    setKept(newest.current)
  }, [])
  const forget = () => {
    keep(place, undefined)
    newest.current = saved
    setKept(undefined)
  }
  return { draft: kept ?? saved, isChanged: kept !== undefined, write, forget, settle: () => keep(place, undefined) }
}
