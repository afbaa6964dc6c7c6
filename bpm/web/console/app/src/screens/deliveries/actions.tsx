// What can be done to a subscription: try it, switch it, give it a new secret, send again what failed.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { go, to } from "../../router"
import { may } from "../../session"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Field, Input } from "../../ui/field"
import { ShownOnce } from "../../ui/shown_once"
import type { Subscription } from "./columns"
import { Recover } from "./recover"

type Doing = "switch" | "rotate" | "recover" | "test"

export interface Question {
  subscription: Subscription
  onClose: () => void
  onDone: () => void
}

export function Actions({ subscription, onDone }: { subscription: Subscription; onDone: () => void }) {
  const [doing, ask] = useState<Doing>()
  const [secret, show] = useState<string>()
  const question = { subscription, onDone, onClose: () => ask(undefined) }
  const mayWrite = may("subscriptions:write")
  return (
    <>
      {mayWrite && <Button onClick={() => ask("switch")}>{subscription.isActive ? "Switch off" : "Switch on"}</Button>}
      {mayWrite && <Button onClick={() => ask("rotate")}>New secret</Button>}
      {may("deliveries:write") && subscription.isActive && (
        <Button icon="again" onClick={() => ask("recover")}>
          Send again
        </Button>
      )}
      {mayWrite && subscription.isActive && (
        <Button kind="main" icon="play" onClick={() => ask("test")}>
          Test it
        </Button>
      )}
      {doing === "switch" && <Switch {...question} />}
      {doing === "rotate" && <Rotate {...question} onSecret={show} />}
      {doing === "recover" && <Recover {...question} />}
      {doing === "test" && <Test {...question} />}
      {secret && (
        <ShownOnce
          title="The new secret"
          secret={secret}
          about="Deliveries are signed with it from now on. It is shown this once: give it to the receiver before the overlap is over."
          onClose={() => show(undefined)}
        />
      )}
    </>
  )
}

function Switch({ subscription, ...question }: Question) {
  const { isActive, id } = subscription
  return (
    <Confirm
      title={isActive ? "Switch this subscription off?" : "Switch this subscription on?"}
      action={isActive ? "Switch off" : "Switch on"}
      isDanger={isActive}
      {...question}
      onAct={async () => {
        await send({ $type: isActive ? "DeactivateSubscriptionCommand" : "ActivateSubscriptionCommand", id })
        return isActive ? "Switched off" : "Switched on"
      }}
    >
      <p>{isActive ? "Nothing is sent to it. What waits, and what happens meanwhile, is kept for the day it is switched on again." : "What was kept for it is sent, the oldest first; new events queue up behind."}</p>
    </Confirm>
  )
}

function Rotate({ subscription, onSecret, ...question }: Question & { onSecret: (secret: string) => void }) {
  const [hours, setHours] = useState("24")
  const overlapHours = Number(hours)
  const isReady = hours.trim() !== "" && overlapHours >= 0 && overlapHours <= 720
  return (
    <Confirm
      title="Give it a new secret?"
      action="Make a new secret"
      isReady={isReady}
      {...question}
      onAct={async () => {
        const rotated = await send({ $type: "RotateSubscriptionSecretCommand", id: subscription.id, overlapHours })
        onSecret(rotated.secret)
        return "There is a new secret"
      }}
    >
      <p>Its receiver can change over when it likes: during the overlap each delivery carries a signature by both secrets.</p>
      <Field label="Overlap in hours" help="0 ends the former secret at once." problem={isReady ? undefined : "From 0 to 720 hours."}>
        {(own) => <Input {...own} autofocus inputmode="decimal" value={hours} onText={setHours} />}
      </Field>
    </Confirm>
  )
}

function Test({ subscription, ...question }: Question) {
  const [event, setEvent] = useState("")
  return (
    <Confirm
      title="Send a test event?"
      action="Send it"
      {...question}
      onDone={() => undefined}
      onAct={async () => {
        const sent = await send({ $type: "SendTestEventCommand", id: subscription.id, ...(event.trim() && { event: event.trim() }) })
        go(to(`deliveries/${sent.deliveryId}`))
        return "Sent"
      }}
    >
      <p>It goes to this subscription alone, signed as every other.</p>
      <Field label="Event" help="Empty: subscription.test. Of another type its example is sent.">
        {(own) => <Input {...own} autofocus spellcheck={false} placeholder="subscription.test" value={event} onText={setEvent} />}
      </Field>
    </Confirm>
  )
}
