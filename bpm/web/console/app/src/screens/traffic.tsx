// How much came in, hour by hour: as bars on the overview, and as a line of small ones beside each rule.

import { computed } from "@preact/signals"
import { useMemo } from "preact/hooks"
import { useAsk } from "../asking"
import { now } from "../clock"
import { go, to } from "../router"
import type { Answer, Schemas } from "../types"
import { elapsed } from "../ui/time"

const HOUR = 3_600_000
const HOURS = 24
const SECONDS = 30
/** Counts cost a look at thousands of requests, so they are asked for seldom. */
const BAD = ["failed", "dead", "quarantined", "rejected"]
const HEIGHT = 64
const SPARK_HEIGHT = 20

const firstHour = computed(() => (Math.floor(now.value / HOUR) - HOURS + 1) * HOUR)

type Counts = Answer<{ $type: "GetInboundCountsQuery" }>["items"]

interface Bucket {
  at: number
  all: number
  bad: number
}

/** The requests of the last day, those that did nothing apart, and how long the latest took. */
export function Traffic({ inbound }: { inbound: Schemas["InboundStatusView"] }) {
  const first = firstHour.value
  const asked = useAsk({ $type: "GetInboundCountsQuery", by: "state", bucket: "hour", startDate: new Date(first).toISOString() }, SECONDS)
  if (asked.error && !asked.data) return null
  const buckets = bucketsOf(asked.data?.items ?? [], first)
  const most = Math.max(...buckets.map((each) => each.all), 1)
  return (
    <section class="card">
      <h2>
        The last {HOURS} hours
        <span class="muted">
          {asked.data && sentenceOf(buckets)} {latencyOf(inbound)}
        </span>
      </h2>
      <div class="card-body">
        <svg class="bars" viewBox={`0 0 ${HOURS * 10} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
          {buckets.map(({ at, all, bad }, index) => (
            <g key={at} class="hour" onClick={() => go(addressOf(at))}>
              <title>{`${hourOf(at)}: ${all.toLocaleString()} came in, ${bad.toLocaleString()} failed or were refused`}</title>
              <rect class="reach" x={index * 10} y="0" width="10" height={HEIGHT} />
              <rect class="all" x={index * 10 + 1} y={HEIGHT - tall(all, most)} width="8" height={tall(all, most)} />
              <rect class="bad" x={index * 10 + 1} y={HEIGHT - tall(bad, most)} width="8" height={tall(bad, most)} />
            </g>
          ))}
        </svg>
        <div class="row bars-foot muted" aria-hidden="true">
          <span>{hourOf(first)}</span>
          <span class="bars-key">
            <i class="all" /> came in <i class="bad" /> failed or refused
          </span>
          <span>now</span>
        </div>
      </div>
    </section>
  )
}

/** Returns the requests of each rule in each hour of the last day; without the right to see them, nothing. */
export function useTrafficOfRules(isAsked: boolean): (id: number) => number[] {
  const first = firstHour.value
  const asked = useAsk(isAsked ? { $type: "GetInboundCountsQuery", by: "rule", bucket: "hour", startDate: new Date(first).toISOString() } : null)
  return useMemo(() => {
    const found = new Map<number, number[]>()
    for (const { at, count, configId } of asked.data?.items ?? []) {
      if (typeof configId !== "number") continue
      const hours = found.get(configId) ?? Array.from({ length: HOURS }, () => 0)
      hours[hourAt(at, first)] = count
      found.set(configId, hours)
    }
    return (id) => found.get(id) ?? []
  }, [asked.data])
}

export function Spark({ hours }: { hours: number[] }) {
  const sum = hours.reduce((one, other) => one + other, 0)
  const most = Math.max(...hours, 1)
  return (
    <span class="row spark" title={`${sum.toLocaleString()} requests in the last ${HOURS} hours`}>
      <svg viewBox={`0 0 ${HOURS * 3} ${SPARK_HEIGHT}`} aria-hidden="true">
        {hours.map((count, index) => count > 0 && <rect key={index} x={index * 3} y={SPARK_HEIGHT - 2 - (count / most) * (SPARK_HEIGHT - 2)} width="2" height={2 + (count / most) * (SPARK_HEIGHT - 2)} />)}
      </svg>
      <span>{sum.toLocaleString()}</span>
    </span>
  )
}

function bucketsOf(counts: Counts, first: number): Bucket[] {
  const buckets = Array.from({ length: HOURS }, (_, index): Bucket => ({ at: first + index * HOUR, all: 0, bad: 0 }))
  for (const { at, count, state } of counts) {
    const bucket = buckets[hourAt(at, first)]
    if (!bucket) continue
    bucket.all += count
    if (state && BAD.includes(state)) bucket.bad += count
  }
  return buckets
}

/** Returns the place of an hour among those that are shown; what begins after them is in the last one. */
function hourAt(at: string, first: number): number {
  return Math.min(Math.round((Date.parse(at) - first) / HOUR), HOURS - 1)
}

function tall(count: number, most: number): number {
  return count ? Math.max((count / most) * HEIGHT, 2) : 0
}

function sentenceOf(buckets: Bucket[]): string {
  const all = buckets.reduce((sum, each) => sum + each.all, 0)
  const bad = buckets.reduce((sum, each) => sum + each.bad, 0)
  if (!all) return "Nothing came in."
  return `${all.toLocaleString()} ${all === 1 ? "request" : "requests"}${bad ? `, ${bad.toLocaleString()} failed or refused` : ""}.`
}

function latencyOf({ medianSeconds: half, p95Seconds: most }: Schemas["InboundStatusView"]): string {
  if (half == null || most == null) return ""
  return `Of the latest, half were done in ${elapsed(half)}, 95 of 100 in ${elapsed(most)}.`
}

function hourOf(at: number): string {
  return new Date(at).toLocaleTimeString(undefined, { hour: "2-digit", minute: "2-digit", hour12: false })
}

function addressOf(at: number): string {
  return to("requests", { from: new Date(at).toISOString(), until: new Date(at + HOUR).toISOString() })
}
