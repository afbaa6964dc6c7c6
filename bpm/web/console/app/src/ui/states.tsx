// What stands in a place where there is nothing to show yet, nothing at all, or nothing to be had.

import type { ComponentChildren } from "preact"
import type { Refused } from "../bus"
import { Button } from "./button"
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
      <h2>{title}</h2>
      <div class="muted">{children}</div>
      {action}
    </div>
  )
}

/** Lines where text will be; for those who listen, one word. */
export function Loading({ rows = 5 }: { rows?: number }) {
  return (
    <div class="loading" role="status">
      <span class="visually-hidden">Loading</span>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} class="bone" aria-hidden="true" />
      ))}
    </div>
  )
}

/** Says what went wrong in the server's words, and what can be done about it. */
export function Failed({ error, onAgain }: { error: Refused; onAgain?: () => void }) {
  const isRefused = error.status === 403
  return (
    <div class="state" role="alert">
      <Icon name="dead" />
      <h2>{isRefused ? "You may not see this" : error.message}</h2>
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
