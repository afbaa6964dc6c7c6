// The server's time, as relative ages show it: it ticks once a second while the page is seen.
//
// A browser whose clock is wrong would tell that what came just now comes in four minutes, so the ages follow the clock
// of the server, which stands on each of its answers.

import { signal } from "@preact/signals"

const TOLD_MS = 1_000
/** Whole seconds are told, those that have passed: what the server does now, it does up to so much later. */
const TRUSTED_MS = 2_000
/** A clock that is nearer than this is right enough. */

let ahead = 0
export const now = signal(Date.now())

/** Returns the server's time in milliseconds, as far as it is known. */
export function time(): number {
  return Date.now() + ahead
}

setInterval(() => {
  if (!document.hidden) now.value = time()
}, 1000)
document.addEventListener("visibilitychange", () => (now.value = time()))

/** Hears when the server answered, as its header `Date` says it. */
export function hearTime(date: string | null): void {
  const told = Date.parse(date ?? "") + TOLD_MS - Date.now()
  if (Number.isNaN(told) || Math.abs(told - ahead) < TRUSTED_MS) return
  ahead = Math.abs(told) < TRUSTED_MS ? 0 : told
  now.value = time()
}
