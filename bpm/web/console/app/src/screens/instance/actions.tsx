// What can be done to an instance as a whole: move a token, set variables, migrate it, cancel it.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { may } from "../../session"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Field, Input, Select } from "../../ui/field"
import { JsonArea, readJson } from "../../ui/json_area"
import type { Instance } from "./instance"
import { Migrate } from "./migrate"

type Doing = "move" | "set" | "migrate" | "cancel"

interface Props {
  instance: Instance
  /** The element that is chosen on the drawing: a token is moved there. */
  chosen: string | undefined
  onDone: () => void
}

export interface Question {
  instance: Instance
  onClose: () => void
  onDone: () => void
}

export function Actions({ instance, chosen, onDone }: Props) {
  const [doing, ask] = useState<Doing>()
  if (instance.endedAt || !may("processes:write")) return null
  const question = { instance, onDone, onClose: () => ask(undefined) }
  return (
    <>
      <Button kind="danger" onClick={() => ask("cancel")}>
        Cancel it
      </Button>
      <Button onClick={() => ask("migrate")}>Migrate</Button>
      <Button onClick={() => ask("set")}>Set variables</Button>
      <Button icon="right" onClick={() => ask("move")}>
        Move a token
      </Button>
      {doing === "cancel" && <Cancel {...question} />}
      {doing === "migrate" && <Migrate {...question} />}
      {doing === "set" && <SetVariables {...question} />}
      {doing === "move" && <Move {...question} chosen={chosen} />}
    </>
  )
}

function Move({ instance, chosen, onClose, onDone }: Question & { chosen: string | undefined }) {
  const standing = [...new Set(instance.currentTasks.map((task) => task.elementId))]
  const [from, setFrom] = useState(standing.find((element) => element !== chosen) ?? "")
  const [target, setTarget] = useState(chosen ?? "")
  return (
    <Confirm
      title="Move a token"
      action="Move it"
      isReady={Boolean(from || target.trim())}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({
          $type: "ModifyProcessInstanceCommand",
          instanceId: instance.instanceId,
          ...(from && { cancel: [from] }),
          ...(target.trim() && { startBefore: [target.trim()] }),
        })
        return "Moved"
      }}
    >
      <p>What is open where it is taken away is closed. You answer for the steps that follow, and the history says that you moved it.</p>
      <Field label="Take away from">
        {(own) => (
          <Select
            {...own}
            value={from}
            choices={[{ value: "", label: "nowhere: one more token" }, ...standing]}
            onChoice={setFrom}
          />
        )}
      </Field>
      <Field label="Put before" help="The id of an element; the one that is chosen on the drawing stands here. Empty: nowhere.">
        {(own) => <Input {...own} spellcheck={false} value={target} onText={setTarget} />}
      </Field>
    </Confirm>
  )
}

function SetVariables({ instance, onClose, onDone }: Question) {
  const [text, setText] = useState("")
  const { value, problem } = readJson(text)
  return (
    <Confirm
      title="Set variables"
      action="Set them"
      isReady={value !== undefined}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({ $type: "SetProcessVariablesCommand", instanceId: instance.instanceId, variables: value ?? {} })
        return "Set"
      }}
    >
      <p>What is not named stays as it is. You answer for the steps that follow.</p>
      <Field label="Variables" isRequired problem={problem}>
        {(own) => <JsonArea {...own} autofocus value={text} onText={setText} placeholder='{"amount": 10}' />}
      </Field>
    </Confirm>
  )
}

function Cancel({ instance, onClose, onDone }: Question) {
  const [reason, setReason] = useState("")
  return (
    <Confirm
      title="Cancel this instance?"
      action="Cancel the instance"
      isDanger
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send({ $type: "CancelProcessInstanceCommand", instanceId: instance.instanceId, reason })
        return "Cancelled"
      }}
    >
      <p>It ends, whatever it is doing, and can't be taken up again.</p>
      <Field label="Why" help="Stands in its history.">
        {(own) => <Input {...own} autofocus value={reason} onText={setReason} />}
      </Field>
    </Confirm>
  )
}
