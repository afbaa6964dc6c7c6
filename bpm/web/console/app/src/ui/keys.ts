// Keys that work anywhere on a screen. They are heard from the moment the screen is there, and by what it shows now.

import { useLayoutEffect, useRef } from "preact/hooks"

type Listen = (event: KeyboardEvent) => void

export function useKeys(listen: Listen): void {
  const newest = useRef(listen)
  newest.current = listen
  useLayoutEffect(() => {
    const hear = (event: KeyboardEvent) => newest.current(event)
    addEventListener("keydown", hear)
    return () => removeEventListener("keydown", hear)
  }, [])
}

/** Tells whether a key belongs to a field, to a dialog over the screen, or to the browser. */
export function isTyping(event: KeyboardEvent): boolean {
  const target = event.target as HTMLElement
  return event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || Boolean(target.closest(".script, dialog"))
}
