// Moments: local time to read, UTC to compare on hover, and how long ago, which ticks.

import { now, time } from "../clock"

const UNITS: Array<[number, string]> = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
  [1, "s"],
]

/** Returns how long something short took, as in `40 ms` or `2.5 s`. */
export function elapsed(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  return seconds < 60 ? `${Number(seconds.toFixed(1))} s` : duration(seconds)
}

/** Returns a duration in its largest unit, as in `4 min`. */
export function duration(seconds: number): string {
  const [size, name] = UNITS.find(([each]) => seconds >= each) ?? [1, "s"]
  return `${Math.floor(seconds / size)} ${name}`
}

export function ageOf(moment: string, at: number): string {
  const seconds = (at - Date.parse(moment)) / 1000
  if (Math.abs(seconds) < 1.5) return "now"
  return seconds > 0 ? `${duration(seconds)} ago` : `in ${duration(-seconds)}`
}

const DAY = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "short" })
const DATE = new Intl.DateTimeFormat(undefined, { day: "2-digit", month: "short", year: "numeric" })
const CLOCK = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", hour12: false })

/** Returns the local time, with the day unless it is today, and with the year unless it is this one. */
export function local(moment: string): string {
  const date = new Date(moment)
  const today = new Date(time())
  const clock = CLOCK.format(date)
  if (date.toDateString() === today.toDateString()) return clock
  return `${(date.getFullYear() === today.getFullYear() ? DAY : DATE).format(date)} ${clock}`
}

export function Time({ at, age = true }: { at: string | null | undefined; age?: boolean }) {
  if (!at) return <span class="muted">–</span>
  return (
    <time dateTime={at} title={`${at.replace("T", " ").replace("Z", "")} UTC`}>
      <span class={age ? "clock" : ""}>{local(at)}</span>
      {age && <span class="age"> {ageOf(at, now.value)}</span>}
    </time>
  )
}
