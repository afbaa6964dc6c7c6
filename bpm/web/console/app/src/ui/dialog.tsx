// A question over the page: the keyboard stays inside, Escape closes it unless it must be answered.

import type { ComponentChildren } from "preact"
import { useLayoutEffect, useRef } from "preact/hooks"
import { IconButton } from "./button"

interface Props {
  title: string
  onClose?: () => void
  isBare?: boolean
  isWide?: boolean
  children: ComponentChildren
}

export function Dialog({ title, onClose, isBare = false, isWide = false, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null)
  useLayoutEffect(() => { // at once, so that what is typed next is typed into it
    const element = dialog.current
    element?.showModal()
    return () => element?.close()
  }, [])
  return (
    <dialog
      ref={dialog}
      class={isBare ? "dialog bare" : isWide ? "dialog wide" : "dialog"}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault()
        onClose?.()
      }}
      onMouseDown={(event) => event.target === dialog.current && onClose?.()}
    >
      <div class="dialog-body">
        {!isBare && (
          <header>
            <h2>{title}</h2>
            {onClose && <IconButton label="Close" icon="close" onClick={onClose} />}
          </header>
        )}
        {children}
      </div>
    </dialog>
  )
}
