// Whether the server can be reached. While it can't, it is looked for, and screens ask again as soon as it is back.

import { signal } from "@preact/signals"

const AGAIN_AFTER = 3_000

/** True from the first message that did not arrive to the next answer. */
export const isLost = signal(false)

/** How often the server came back; who reads it is called again then. */
export const returns = signal(0)

let timer: ReturnType<typeof setTimeout> | undefined

/** Hears that the server answered. */
export function hearAnswer(): void {
  clearTimeout(timer)
  if (!isLost.value) return
  isLost.value = false
  returns.value++
}

/** Hears that a message did not arrive, and looks for the server from now on. */
export function hearLoss(): void {
  isLost.value = true
  clearTimeout(timer)
  timer = setTimeout(() => void lookForServer(), AGAIN_AFTER)
}

/** Finds out whether the server is there, where something else than a message failed. */
export async function lookForServer(): Promise<void> {
  const isBack = await fetch("../readyz").then((answer) => answer.ok, () => false)
  if (isBack) hearAnswer()
  else hearLoss()
}
