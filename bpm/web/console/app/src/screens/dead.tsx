// What was given up and what was refused: the same list as of all requests, one state at a time.

import { place, refine } from "../router"
import { Tabs } from "../ui/tabs"
import { Requests } from "./requests"

const LISTS = [
  { key: "dead", label: "Dead" },
  { key: "quarantined", label: "Quarantine" },
  { key: "failed", label: "To be retried" },
] as const

export function Dead() {
  const present = LISTS.find((list) => list.key === place.value.filters["list"])?.key ?? "dead"
  return (
    <Requests title="Quarantine and dead" state={present}>
      <Tabs label="Quarantine and dead" tabs={LISTS} value={present} onTab={(list) => refine({ list, page: undefined })} />
    </Requests>
  )
}
