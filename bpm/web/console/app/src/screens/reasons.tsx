// Why requests failed last: the newest reasons, each leading to the newest request that failed for it.

import { useAsk } from "../asking"
import { to } from "../router"
import { Time } from "../ui/time"

const MOST = 5
const SECONDS = 30
/** Groups cost a look at thousands of requests, so they are asked for seldom. */

export function Reasons() {
  const asked = useAsk({ $type: "GetInboundFailureGroupsQuery" }, SECONDS)
  const groups = asked.data?.items ?? []
  if (!groups.length) return null
  return (
    <section class="card">
      <h2>
        Why requests failed last
        <a class="button quiet" href="#/dead">
          All reasons
        </a>
      </h2>
      <ul class="reasons">
        {groups.slice(0, MOST).map((group) => (
          <li key={group.fingerprint}>
            <strong class="number">{group.count.toLocaleString()}</strong>
            <a href={to(`requests/${group.newestId}`)}>{group.sentence || group.verdict}</a>
            <span class="muted">{group.configKey ?? "no rule"}</span>
            <span class="muted">
              <Time at={group.lastSeen} />
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}
