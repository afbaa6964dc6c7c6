// A question before something is done: what will happen, and what became of it.

import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import { Refused } from "../bus"
import { Button } from "./button"
import { Dialog } from "./dialog"
import { toast } from "./toast"

interface Props {
  title: string
  action: string
  isDanger?: boolean
  isReady?: boolean
  isWide?: boolean
  children: ComponentChildren
  onAct: () => Promise<string>
  onClose: () => void
  onDone: () => void
}

export function Confirm({ title, action, isDanger = false, isReady = true, isWide = false, children, onAct, onClose, onDone }: Props) {
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState<string>()
  const act = async () => {
    setBusy(true)
    setProblem(undefined)
    try {
      toast(await onAct())
      onClose()
      onDone()
    } catch (error) {
      setProblem(Refused.of(error).errors.join(" · "))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Dialog title={title} isWide={isWide} onClose={onClose}>
      <form
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          void act()
        }}
      >
        {children}
        {problem && (
          <p class="notice" role="alert">
            {problem}
          </p>
        )}
        <footer>
          <Button onClick={onClose}>Cancel</Button>
          <Button kind={isDanger ? "danger" : "main"} type="submit" isBusy={isBusy} disabled={!isReady}>
            {action}
          </Button>
        </footer>
      </form>
    </Dialog>
  )
}
