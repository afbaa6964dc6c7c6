// Changing the password with which one signs in.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { Confirm } from "../../ui/confirm"
import { Field, Input } from "../../ui/field"

const SHORTEST = 12
/** The server takes no shorter one. */

export function OwnPassword({ onClose, onDone }: { onClose: () => void; onDone: () => void }) {
  const [current, setCurrent] = useState("")
  const [next, setNext] = useState("")
  const [repeated, setRepeated] = useState("")
  const differs = repeated !== "" && repeated !== next
  return (
    <Confirm
      title="Change my password"
      action="Change it"
      isReady={current !== "" && next.length >= SHORTEST && repeated === next}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({ $type: "ChangeOwnPasswordCommand", currentPassword: current, newPassword: next })
        return "The password is changed; sign in with it"
      }}
    >
      <p>Every browser and every token of yours ends, this one as well. API keys go on.</p>
      <Field label="The password that you have" isRequired>
        {(own) => <Input {...own} type="password" autofocus autocomplete="current-password" value={current} onText={setCurrent} />}
      </Field>
      <Field label="The new one" isRequired help={`${SHORTEST} characters or more.`}>
        {(own) => <Input {...own} type="password" autocomplete="new-password" value={next} onText={setNext} />}
      </Field>
      <Field label="The new one again" isRequired problem={differs ? "It differs" : undefined}>
        {(own) => <Input {...own} type="password" autocomplete="new-password" value={repeated} onText={setRepeated} />}
      </Field>
    </Confirm>
  )
}
