// The time that a list of requests is about: one that ends now, or one between two moments, as its address says.

import { useMemo } from "preact/hooks"
import { time } from "../clock"
import { refine } from "../router"

const MINUTE = 60_000
const RECENT: Record<string, number> = { "15m": 15 * MINUTE, "1h": 60 * MINUTE, "24h": 1_440 * MINUTE, "7d": 10_080 * MINUTE }
const CHOICES = [
  { value: "", label: "Any time" },
  { value: "15m", label: "Last 15 minutes" },
  { value: "1h", label: "Last hour" },
  { value: "24h", label: "Last 24 hours" },
  { value: "7d", label: "Last 7 days" },
]

export interface Span {
  startDate: string | null
  endDate: string | null
}

type Filters = Record<string, string>

/** Returns the span of an address; one that ends now keeps its beginning until another is chosen. */
export function useSpan({ since, from, until }: Filters): Span {
  return useMemo(() => {
    const length = RECENT[since ?? ""]
    return length ? { startDate: new Date(time() - length).toISOString(), endDate: null } : { startDate: moment(from), endDate: moment(until) }
  }, [since, from, until])
}

/** Returns what can be chosen; two moments that came with the address are one of the choices. */
export function spanChoices({ from, until }: Filters): Array<{ value: string; label: string }> {
  if (!from) return CHOICES
  const [begin, end] = [new Date(from), until ? new Date(until) : undefined]
  return [{ value: "between", label: `${begin.toLocaleString()} to ${end ? end.toLocaleTimeString() : "now"}` }, ...CHOICES]
}

export function spanOf({ since, from }: Filters): string {
  return from ? "between" : since && since in RECENT ? since : ""
}

export function chooseSpan(since: string): void {
  if (since !== "between") refine({ since, from: undefined, until: undefined, page: undefined })
}

function moment(text: string | undefined): string | null {
  return text && !Number.isNaN(Date.parse(text)) ? text : null
}
