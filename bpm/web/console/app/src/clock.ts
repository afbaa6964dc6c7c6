// The time, as relative ages show it: it ticks once a second while the page is seen.

import { signal } from "@preact/signals"

export const now = signal(Date.now())

setInterval(() => {
  if (!document.hidden) now.value = Date.now()
}, 1000)
document.addEventListener("visibilitychange", () => (now.value = Date.now()))
