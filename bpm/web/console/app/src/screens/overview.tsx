// Is it healthy, and what needs somebody: one sentence, the list of what to do, and the figures behind them.

import { useState } from "preact/hooks"
import { useAsk } from "../asking"
import { to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import { IconButton } from "../ui/button"
import { Facts, type Fact } from "../ui/facts"
import { Page } from "../ui/page"
import { Empty, Failed, Loading } from "../ui/states"
import { duration } from "../ui/time"
import { Beginning } from "./beginning"
import { MOST_COUNTED, needsOf, useOtherNeeds, type Need } from "./needs"
import { Reasons } from "./reasons"
import { Traffic } from "./traffic"

type Status = Schemas["SystemStatusView"]

export function Overview() {
  const asked = useAsk({ $type: "GetSystemStatusQuery" }, 5)
  const [turn, setTurn] = useState(0)
  const again = () => {
    asked.again()
    setTurn(turn + 1)
  }
  return (
    <Page title="Overview" actions={<IconButton label="Ask again" icon="again" onClick={again} />}>
      {asked.data ? <Health status={asked.data} turn={turn} /> : asked.error ? <WithoutStatus error={asked.error} /> : <Loading />}
    </Page>
  )
}

function WithoutStatus({ error }: { error: NonNullable<ReturnType<typeof useAsk>["error"]> }) {
  if (error.status !== 403) return <Failed error={error} />
  return (
    <Empty icon="requests" title="The figures are for those who run the installation" action={<a class="button" href="#/requests">To the requests</a>}>
      What your organisation received and sent stands under its own screens.
    </Empty>
  )
}

function Health({ status, turn }: { status: Status; turn: number }) {
  const needs = [...needsOf(status), ...useOtherNeeds(turn)].sort((one, other) => Number(other.tone === "bad") - Number(one.tone === "bad"))
  const { inbound } = status
  return (
    <>
      <section class="card health" role="status">
        <Badge state={needs.length ? "needs somebody" : "healthy"} tone={worst(needs)} />
        <span>{sentence(status, needs)}</span>
      </section>
      {status.webhooks === 0 && <Beginning />}
      <div class="figures">
        <Figure name="waiting" value={inbound.pending} address={to("requests", { state: "pending" })} />
        <Figure name="running" value={inbound.running} address={to("requests", { state: "running" })} />
        <Figure name="to be retried" value={inbound.failed} address={to("requests", { state: "failed" })} />
        <Figure name="dead" value={inbound.dead} address={to("requests", { state: "dead" })} />
        <Figure name="in quarantine" value={inbound.quarantined} address={to("requests", { state: "quarantined" })} />
        <Figure name="active rules" value={status.webhooks} address={to("rules")} />
      </div>
      <section class="card">
        <h2>Needs somebody</h2>
        {needs.length ? (
          <ul class="needs">
            {needs.map((need) => (
              <li key={need.words}>
                <Badge state={need.state} tone={need.tone} />
                <span>{need.words}</span>
                <a class="button" href={need.address}>
                  {need.action}
                </a>
              </li>
            ))}
          </ul>
        ) : (
          <p class="card-body muted">Nothing does.</p>
        )}
      </section>
      {may("inbound:read") && <Reasons key={turn} />}
      {may("inbound:read") && <Traffic key={turn} inbound={inbound} />}
      <div class="columns">
        <section class="card">
          <h2>This server</h2>
          <div class="card-body">
            <Facts
              facts={[
                ["Version", status.version],
                ["Running for", duration(status.uptimeSeconds)],
                ["Jobs waiting", status.jobsWaiting],
                ["Jobs running", status.jobsRunning],
                ["Workers alive", status.workers ?? "not known yet"],
                ["Waiting for the writer", status.writerWaiting],
                ["Refused requests kept today", `${status.refused.requests} of ${status.refused.requestsPerDay}`],
              ]}
            />
          </div>
        </section>
        <section class="card">
          <h2>What is off, and what confines scripts</h2>
          <div class="card-body stack">
            <Facts facts={Object.entries(status.endpointsOff)} />
            <Facts facts={locks(status)} />
          </div>
        </section>
      </div>
    </>
  )
}

function Figure({ name, value, address }: { name: string; value: number; address: string }) {
  return (
    <a href={address}>
      <strong>{value >= MOST_COUNTED ? `${MOST_COUNTED.toLocaleString()}+` : value.toLocaleString()}</strong>
      <span>{name}</span>
    </a>
  )
}

function worst(needs: Need[]): "bad" | "warn" | "good" {
  return needs.some((need) => need.tone === "bad") ? "bad" : needs.length ? "warn" : "good"
}

function sentence({ inbound }: Status, needs: Need[]): string {
  const waiting = inbound.pending + inbound.running
  const work = [
    waiting > 0 && `${counted(waiting)} on ${waiting === 1 ? "its" : "their"} way.`,
    inbound.failed > 0 && `${counted(inbound.failed)} to be tried again.`,
  ].filter(Boolean)
  return [needs[0]?.words ?? "Nothing needs somebody.", ...(work.length ? work : ["Nothing is waiting."])].join(" ")
}

function counted(requests: number): string {
  return requests === 1 ? "1 request is" : `${requests.toLocaleString()} requests are`
}

function locks(status: Status): Fact[] {
  const told = (state: boolean | string) => (typeof state === "string" ? state : <Badge state={state ? "on" : "off"} tone={state ? "good" : "bad"} />)
  return Object.entries(status.sandboxLocks).map(([name, state]) => [`Scripts: ${name}`, told(state)])
}
