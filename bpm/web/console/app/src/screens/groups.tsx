// Failures in groups, and one group driven again as a bulk job.

import { useAsk } from "../asking"
import { to } from "../router"
import { may } from "../session"
import { Badge } from "../ui/badge"
import { Empty, Failed, Loading } from "../ui/states"
import { Time } from "../ui/time"
import { BulkButton } from "./bulk/button"

export function Groups() {
  const asked = useAsk({ $type: "GetInboundFailureGroupsQuery" }, 10)
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={6} />
  const { items, leftOut, groupedSince } = asked.data
  if (!items.length) return <Empty title="Nothing failed, and that is good">What fails for the same reason stands here as one line.</Empty>
  return (
    <>
      <ul class="card groups">
        {items.map((group) => (
          <li key={group.fingerprint}>
            <div class="about">
              <div class="row">
                <strong class="number">{group.count.toLocaleString()}</strong>
                {Object.entries(group.states).map(([state, count]) => (
                  <Badge key={state} state={`${state} ${count}`} tone={state === "dead" ? "bad" : "warn"} />
                ))}
                <span class="muted">{group.configKey ? `${group.configKey}, revision ${group.revision}` : "no rule"}</span>
              </div>
              <p class="sentence">{group.sentence || group.verdict}</p>
              <p class="muted">
                {group.firstSeen !== group.lastSeen && (
                  <>
                    <Time at={group.firstSeen} age={false} /> to{" "}
                  </>
                )}
                <Time at={group.lastSeen} />
              </p>
            </div>
            <div class="row">
              <a class="button" href={to(`requests/${group.newestId}`)}>
                The newest
              </a>
              {group.configId !== null && may("webhooks:read") && (
                <a class="button" href={to(`rules/${group.configId}`, { request: group.newestId })}>
                  Its rule
                </a>
              )}
              <BulkButton
                label="Drive them again"
                permission="inbound:write"
                title="Drive a group again"
                verb={["Drive", "again"]}
                plan={{ action: "replayRequests", selection: { fingerprint: group.fingerprint } }}
              >
                <p>{group.sentence || group.verdict}</p>
              </BulkButton>
            </div>
          </li>
        ))}
      </ul>
      {leftOut > 0 && <p class="muted">{leftOut} further groups are not shown.</p>}
      {groupedSince && (
        <p class="muted">
          Those received since <Time at={groupedSince} /> were looked at.
        </p>
      )}
    </>
  )
}
