// Failures in groups, and one group driven again: a frozen list, in small steps, with progress and a way to stop.

import { useRef, useState } from "preact/hooks"
import { useAsk } from "../asking"
import { Refused, send } from "../bus"
import { to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import { Button } from "../ui/button"
import { Dialog } from "../ui/dialog"
import { Refusal } from "../ui/refusal"
import { Empty, Failed, Loading } from "../ui/states"
import { Time } from "../ui/time"

type Group = Schemas["FailureGroupView"]

const STEP = 10
/** So many requests are driven again by one message; between two messages one can stop. */

export function Groups() {
  const asked = useAsk({ $type: "GetInboundFailureGroupsQuery" }, 10)
  const [chosen, choose] = useState<Group>()
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={6} />
  const { items, leftOut, groupedSince } = asked.data
  if (!items.length) return <Empty title="Nothing failed, and that is good">What fails for the same reason stands here as one line.</Empty>
  return (
    <>
      <ul class="card groups">
        {items.map((group) => (
          <li key={group.fingerprint}>
            <div class="row">
              <strong class="number">{group.count.toLocaleString()}</strong>
              {Object.entries(group.states).map(([state, count]) => (
                <Badge key={state} state={`${state} ${count}`} tone={state === "dead" ? "bad" : "warn"} />
              ))}
              <span class="muted">{group.configKey ? `${group.configKey}, revision ${group.revision}` : "no rule"}</span>
            </div>
            <p class="sentence">{group.sentence || group.verdict}</p>
            <p class="muted">
              <Time at={group.firstSeen} /> to <Time at={group.lastSeen} />
            </p>
            <div class="row">
              <a class="button" href={to(`requests/${group.newestId}`)}>
                The newest
              </a>
              {group.configId !== null && may("webhooks:read") && (
                <a class="button" href={to(`rules/${group.configId}`, { request: group.newestId })}>
                  Its rule
                </a>
              )}
              {may("inbound:write") && (
                <Button icon="again" onClick={() => choose(group)}>
                  Drive them again
                </Button>
              )}
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
      {chosen && (
        <DriveAgain
          group={chosen}
          onClose={() => {
            choose(undefined)
            asked.again()
          }}
        />
      )}
    </>
  )
}

interface Touched {
  requestId: string
  why: string | undefined
}

function DriveAgain({ group, onClose }: { group: Group; onClose: () => void }) {
  const asked = useAsk({ $type: "GetInboundFailureGroupsQuery", fingerprint: group.fingerprint })
  const ids = asked.data?.items[0]?.requestIds ?? []
  const frozen = useRef<string[]>([])
  const isStopped = useRef(false)
  const [touched, setTouched] = useState<Touched[]>([])
  const [phase, setPhase] = useState<"asking" | "running" | "over">("asking")
  const [refused, setRefused] = useState<Refused>()
  const all = phase === "asking" ? ids : frozen.current

  const run = async () => {
    frozen.current = [...ids].reverse()
    setPhase("running")
    try {
      for (let at = 0; at < frozen.current.length && !isStopped.current; at += STEP) {
        const requestIds = frozen.current.slice(at, at + STEP)
        const done = await send({ $type: "ReplayInboundRequestsCommand", requestIds, limit: STEP })
        const reasons = new Map(done.notReplayed.map((each) => [each.requestId, each.errors.join(" · ")]))
        setTouched((before) => [...before, ...requestIds.map((requestId) => ({ requestId, why: reasons.get(requestId) }))])
      }
    } catch (error) {
      setRefused(Refused.of(error))
    }
    setPhase("over")
  }

  return (
    <Dialog title="Drive a group again" isWide {...(phase !== "running" && { onClose })}>
      <p>{group.sentence || group.verdict}</p>
      {phase === "asking" && (
        <p class="muted">
          {asked.data ? `${ids.length.toLocaleString()} requests, the oldest first. What fails for this reason from now on is not among them.` : "Looking which these are."}
          {group.count > ids.length && asked.data && ` The group has ${group.count.toLocaleString()}; the newest are taken.`}
        </p>
      )}
      {asked.error && <Refusal refused={asked.error} />}
      {refused && <Refusal refused={refused} />}
      {phase !== "asking" && (
        <label class="stack" aria-live="polite">
          <span>
            {touched.length.toLocaleString()} of {all.length.toLocaleString()} touched{phase === "over" && (touched.length < all.length ? "; stopped" : "; done")}
          </span>
          <progress max={all.length} value={touched.length} />
        </label>
      )}
      {touched.length > 0 && (
        <ol class="touched" tabIndex={0} aria-label="What was touched">
          {touched.map(({ requestId, why }) => (
            <li key={requestId}>
              <Badge state={why === undefined ? "driven again" : "refused still"} tone={why === undefined ? "good" : "warn"} />
              <a href={to(`requests/${requestId}`)}>
                <code>{requestId}</code>
              </a>
              {why && <span class="muted">{why}</span>}
            </li>
          ))}
        </ol>
      )}
      <footer>
        {phase === "running" && <Button onClick={() => (isStopped.current = true)}>Stop</Button>}
        {phase !== "running" && <Button onClick={onClose}>{phase === "over" ? "Close" : "Cancel"}</Button>}
        {phase === "asking" && (
          <Button kind="main" icon="again" disabled={!ids.length} onClick={() => void run()}>
            Drive {ids.length.toLocaleString()} again
          </Button>
        )}
      </footer>
    </Dialog>
  )
}
