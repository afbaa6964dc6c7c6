// What was given up and what was refused: by reason, and as the list of all requests, one state at a time.

import { place, refine } from "../router"
import { may } from "../session"
import { Page } from "../ui/page"
import { Tabs } from "../ui/tabs"
import { BulkJobs } from "./bulk/list"
import { Groups } from "./groups"
import { Requests } from "./requests"

const TITLE = "Quarantine and dead"
const GROUPS = { key: "reasons", label: "By reason" } as const
const BULK = { key: "bulk", label: "Bulk jobs" } as const
const LISTS = [
  { key: "dead", label: "Dead" },
  { key: "quarantined", label: "Quarantine" },
  { key: "failed", label: "To be retried" },
] as const

export function Dead() {
  const wanted = place.value.filters["list"]
  const isBulk = wanted === BULK.key && may("messages:read")
  const present = LISTS.find((list) => list.key === wanted)?.key
  const tabs = <Tabs label={TITLE} tabs={[GROUPS, ...LISTS, ...(may("messages:read") ? [BULK] : [])]} value={isBulk ? BULK.key : (present ?? GROUPS.key)} onTab={(list) => refine({ list, page: undefined })} />
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
      {isBulk ? <BulkJobs /> : <Groups />}
    </Page>
  )
}
