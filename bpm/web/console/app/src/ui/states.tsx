// What stands in a place where there is nothing to show yet, nothing at all, or nothing to be had.

import type { ComponentChildren } from "preact"
import type { Refused } from "../bus"
import { isLost } from "../connection"
import { Button } from "./button"
import { StateHeading, UnseenHeading } from "./heading"
import { Icon, type IconName } from "./icon"

interface EmptyProps {
  icon?: IconName
  title: string
  children?: ComponentChildren
  action?: ComponentChildren
}

/** Says that there is nothing, why, and what to do next. */
export function Empty({ icon = "search", title, children, action }: EmptyProps) {
  return (
    <div class="state">
      <Icon name={icon} />
      <StateHeading>{title}</StateHeading>
      <div class="muted">{children}</div>
      {action}
    </div>
  )
}

/** Lines where text will be; for those who listen, one word. */
export function Loading({ rows = 5 }: { rows?: number }) {
  return (
    <div class="loading" role="status">
      <UnseenHeading>Loading</UnseenHeading>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} class="bone" aria-hidden="true" />
      ))}
    </div>
  )
}

/** Says that an answer could not be had anew, and that what is shown is from before; a server that is away is told by the frame. */
export function Stale({ asked }: { asked: { error: Refused | undefined; data: unknown } }) {
  if (!asked.error || !asked.data || isLost.value) return null
  return (
    <p class="notice" role="status">
      {asked.error.message}. What is shown is from before.
    </p>
  )
}

/** Says what went wrong in the server's words, and what can be done about it. */
export function Failed({ error, onAgain }: { error: Refused; onAgain?: () => void }) {
  const isRefused = error.status === 403
  return (
    <div class="state" role="alert">
      <Icon name="dead" />
      <StateHeading>{isRefused ? "You may not see this" : error.message}</StateHeading>
      <ul class="muted plain-list">
        {error.errors.map((sentence) => (
          <li key={sentence}>{sentence}</li>
        ))}
        {isRefused && <li>Whoever administers users can give you the permission.</li>}
        {error.requestId && !isRefused && (
          <li>
            Request <code>{error.requestId}</code> finds it in the log.
          </li>
        )}
      </ul>
      {onAgain && !isRefused && (
        <Button icon="again" onClick={onAgain}>
          Try again
        </Button>
      )}
    </div>
  )
}
