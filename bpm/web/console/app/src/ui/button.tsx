// Buttons: one `main` action a page, plain ones beside it, `danger` for what can't be undone.

import type { ComponentChildren, JSX } from "preact"
import { Icon, type IconName } from "./icon"

type Kind = "main" | "plain" | "quiet" | "danger"

type Props = Omit<JSX.IntrinsicElements["button"], "icon" | "type"> & {
  type?: "button" | "submit"
  kind?: Kind
  icon?: IconName
  isBusy?: boolean
  children?: ComponentChildren
}

export function Button({ kind = "plain", icon, isBusy = false, type = "button", children, ...rest }: Props) {
  return (
    <button class={`button ${kind}`} type={type} aria-busy={isBusy} {...rest} disabled={isBusy || rest.disabled}>
      {icon && <Icon name={icon} />}
      {children}
    </button>
  )
}

/** A button that is only a drawing; `label` is what it is called. */
export function IconButton({ label, icon, ...rest }: Props & { label: string; icon: IconName }) {
  return (
    <button class="button quiet only-icon" type="button" aria-label={label} title={label} {...rest}>
      <Icon name={icon} />
    </button>
  )
}
