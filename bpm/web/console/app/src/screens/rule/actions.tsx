// What can be done to a rule as a whole: keep it waiting, switch it, delete it.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { go } from "../../router"
import type { Message } from "../../types"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import type { Rule } from "./draft"

type Doing = "pause" | "resume" | "on" | "off" | "delete"

const TEXTS: Record<Doing, { title: string; action: string; about: string; done: string }> = {
  pause: { title: "Pause this rule?", action: "Pause", about: "It goes on taking requests in, and executes none until it is resumed. Nothing is lost.", done: "Paused" },
  resume: { title: "Resume this rule?", action: "Resume", about: "It executes what it has kept, the oldest first, and then what comes.", done: "Resumed" },
  on: { title: "Switch this rule on?", action: "Switch on", about: "It answers at its address, and acts for you as well from then on.", done: "Switched on" },
  off: { title: "Switch this rule off?", action: "Switch off", about: "What comes is refused and kept in quarantine. To lose nothing at all, pause it instead.", done: "Switched off" },
  delete: { title: "Delete this rule?", action: "Delete", about: "It answers no more and its key is free again. Its history and the captured requests stay.", done: "Deleted" },
}

interface Props {
  rule: Rule
  /** The rule was switched on or off, which made a revision. */
  onSwitched: () => void
  onDone: () => void
}

export function Actions({ rule, onSwitched, onDone }: Props) {
  const [doing, ask] = useState<Doing>()
  const pause: Doing = rule.isPaused ? "resume" : "pause"
  const power: Doing = rule.isEnabled ? "off" : "on"
  return (
    <>
      <Button kind="danger" onClick={() => ask("delete")}>
        Delete
      </Button>
      <Button onClick={() => ask(power)}>{TEXTS[power].action}</Button>
      {rule.isEnabled && (
        <Button icon={rule.isPaused ? "play" : "pause"} onClick={() => ask(pause)}>
          {TEXTS[pause].action}
        </Button>
      )}
      {doing && (
        <Confirm
          title={TEXTS[doing].title}
          action={TEXTS[doing].action}
          isDanger={doing === "delete" || doing === "off"}
          onAct={async () => {
            await send(messageOf(doing, rule.id))
            if (doing === power) onSwitched()
            return TEXTS[doing].done
          }}
          onClose={() => ask(undefined)}
          onDone={() => (doing === "delete" ? go("#/rules") : onDone())}
        >
          <p>{TEXTS[doing].about}</p>
        </Confirm>
      )}
    </>
  )
}

function messageOf(doing: Doing, id: number): Message {
  switch (doing) {
    case "pause":
      return { $type: "PauseWebHookConfigCommand", id }
    case "resume":
      return { $type: "ResumeWebHookConfigCommand", id }
    case "on":
      return { $type: "ActivateWebHookConfigCommand", id }
    case "off":
      return { $type: "DeactivateWebHookConfigCommand", id }
    case "delete":
      return { $type: "DeleteWebHookConfigCommand", id }
  }
}
