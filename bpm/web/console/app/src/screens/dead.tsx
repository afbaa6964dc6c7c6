// What was given up and what was refused: by reason, and as the list of all requests, one state at a time.

import { place, refine } from "../router"
import { Page } from "../ui/page"
import { Tabs } from "../ui/tabs"
import { Groups } from "./groups"
import { Requests } from "./requests"

const TITLE = "Quarantine and dead"
const GROUPS = { key: "reasons", label: "By reason" } as const
const LISTS = [
  { key: "dead", label: "Dead" },
  { key: "quarantined", label: "Quarantine" },
  { key: "failed", label: "To be retried" },
] as const

export function Dead() {
  const present = LISTS.find((list) => list.key === place.value.filters["list"])?.key
  const tabs = <Tabs label={TITLE} tabs={[GROUPS, ...LISTS]} value={present ?? GROUPS.key} onTab={(list) => refine({ list, page: undefined })} />
  if (present) {
    return (
      <Requests title={TITLE} state={present}>
        {tabs}
      </Requests>
    )
  }
  return (
    <Page title={TITLE}>
      {tabs}
      <Groups />
    </Page>
  )
}
