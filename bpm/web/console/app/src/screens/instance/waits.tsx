// What an instance waits for, and what mends what failed.

import { useState } from "preact/hooks"
import { send } from "../../bus"
import { to } from "../../router"
import { may } from "../../session"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Field } from "../../ui/field"
import { JsonArea, readJson } from "../../ui/json_area"
import { Time } from "../../ui/time"
import type { Instance } from "./instance"

type Task = Instance["currentTasks"][number]

interface Props {
  instance: Instance
  chosen: string | undefined
  nameOf: (id: string) => string
  onDone: () => void
}

export function Waits({ instance, chosen, nameOf, onDone }: Props) {
  const tasks = instance.currentTasks.filter((task) => !chosen || task.elementId === chosen)
  return (
    <section class="card">
      <h2>{chosen ? `Waits at ${nameOf(chosen)}` : "Waits for"}</h2>
      {!tasks.length && <p class="card-body muted">{instance.endedAt ? "It has ended." : "Nothing waits here."}</p>}
      <ul class="waits">
        {tasks.map((task) => (
          <li key={task.waitId}>
            <div class="row">
              <Badge state={task.kind === "incident" ? "incident" : task.kind} tone={task.kind === "incident" ? "bad" : "busy"} />
              <strong title={task.elementId}>{task.name || nameOf(task.elementId)}</strong>
              {task.dueAt && (
                <span class="muted">
                  due <Time at={task.dueAt} />
                </span>
              )}
            </div>
            {task.kind === "incident" && <p class="problem">{String(task.detail?.["message"] ?? "")}</p>}
            <Mending instance={instance} task={task} name={task.name || nameOf(task.elementId)} onDone={onDone} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Mending({ instance, task, name, onDone }: { instance: Instance; task: Task; name: string; onDone: () => void }) {
  const [doing, ask] = useState<"retry" | "skip">()
  if (!may("processes:write")) return null
  if (task.kind === "user") {
    return (
      <div class="row">
        <a class="button" href={to(`tasks/${instance.instanceId}.${task.waitId}`)}>
          Open the task
        </a>
      </div>
    )
  }
  if (task.kind !== "incident") return null
  return (
    <div class="row">
      <Button kind="main" icon="again" onClick={() => ask("retry")}>
        Try again
      </Button>
      <Button onClick={() => ask("skip")}>Skip</Button>
      {doing && <Mend instance={instance} task={task} name={name} isSkip={doing === "skip"} onClose={() => ask(undefined)} onDone={onDone} />}
    </div>
  )
}

interface MendProps {
  instance: Instance
  task: Task
  name: string
  isSkip: boolean
  onClose: () => void
  onDone: () => void
}

function Mend({ instance, task, name, isSkip, onClose, onDone }: MendProps) {
  const [text, setText] = useState("")
  const { value, problem } = readJson(text)
  const fields = { instanceId: instance.instanceId, waitId: task.waitId, ...(value && { variables: value }) }
  return (
    <Confirm
      title={isSkip ? `Skip ${name}?` : `Try ${name} again?`}
      action={isSkip ? "Skip" : "Try again"}
      isDanger={isSkip}
      isReady={!problem}
      onClose={onClose}
      onDone={onDone}
      onAct={async () => {
        await send(isSkip ? { $type: "SkipFailedTaskCommand", ...fields } : { $type: "RetryIncidentCommand", ...fields })
        return isSkip ? "Skipped" : "It is tried again"
      }}
    >
      <p>{isSkip ? "The instance goes on behind the element, as if it had succeeded." : "The element is executed again, with the variables as they are then."}</p>
      <Field label="Variables to set first" help="JSON, or nothing. Whoever sets variables answers for the steps that follow." problem={problem}>
        {(own) => <JsonArea {...own} value={text} onText={setText} placeholder='{"amount": 10}' />}
      </Field>
    </Confirm>
  )
}
