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
  onDone: () => void
}

export function Waits({ instance, chosen, onDone }: Props) {
  const tasks = instance.currentTasks.filter((task) => !chosen || task.elementId === chosen)
  const incidents = tasks.filter((task) => task.kind === "incident")
  return (
    <section class="card">
      <h2>{chosen ? `Waits at ${chosen}` : "Waits for"}</h2>
      {!tasks.length && <p class="card-body muted">{instance.endedAt ? "It has ended." : "Nothing waits here."}</p>}
      <ul class="waits">
        {tasks.map((task) => (
          <li key={task.waitId}>
            <div class="row">
              <Badge state={task.kind === "incident" ? "incident" : task.kind} tone={task.kind === "incident" ? "bad" : "busy"} />
              <strong>{task.name || task.elementId}</strong>
              {task.dueAt && (
                <span class="muted">
                  due <Time at={task.dueAt} />
                </span>
              )}
            </div>
            {task.kind === "incident" && <p class="problem">{String(task.detail?.["message"] ?? "")}</p>}
            <Mending instance={instance} task={task} isOnly={incidents.length === 1} onDone={onDone} />
          </li>
        ))}
      </ul>
    </section>
  )
}

function Mending({ instance, task, onDone }: { instance: Instance; task: Task; isOnly: boolean; onDone: () => void }) {
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
      {doing && <Mend instance={instance} task={task} isSkip={doing === "skip"} onClose={() => ask(undefined)} onDone={onDone} />}
    </div>
  )
}

function Mend({ instance, task, isSkip, onClose, onDone }: { instance: Instance; task: Task; isSkip: boolean; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState("")
  const { value, problem } = readJson(text)
  const fields = { instanceId: instance.instanceId, waitId: task.waitId, ...(value && { variables: value }) }
  return (
    <Confirm
      title={isSkip ? `Skip ${task.elementId}?` : `Try ${task.elementId} again?`}
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
