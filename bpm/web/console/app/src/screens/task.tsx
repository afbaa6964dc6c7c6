// One task that waits for a person: what it is about, and the form that completes it.

import { useState } from "preact/hooks"
import { useAsk } from "../asking"
import { Refused, send } from "../bus"
import { DeployedForm } from "../forms/deployed_form"
import { type Component, dotted, entered, type ShownField, type Values } from "../forms/form_state"
import { others, problemsBy } from "../forms/problems"
import type { Schema } from "../forms/schema"
import { SchemaFields } from "../forms/schema_fields"
import { keep, recall } from "../kept"
import { go, to } from "../router"
import { account, may } from "../session"
import type { Message, Schemas } from "../types"
import { Button } from "../ui/button"
import { Code, pretty } from "../ui/code"
import { Confirm } from "../ui/confirm"
import { Facts } from "../ui/facts"
import { Field, Input } from "../ui/field"
import { JsonArea, readJson } from "../ui/json_area"
import { Page } from "../ui/page"
import { Refusal } from "../ui/refusal"
import { Empty, Failed, Loading } from "../ui/states"
import { Time } from "../ui/time"
import { toast } from "../ui/toast"

type Task = Schemas["UserTaskView"]

/** `id` is that of the instance and that of its wait, with a dot between. */
export function TaskScreen({ id }: { id: string }) {
  const [instanceId = 0, waitId = 0] = id.split(".").map(Number)
  const asked = useAsk({ $type: "GetUserTaskListQuery", instanceId, pageSize: 200 })
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={8} />
  const task = asked.data.items.find((each) => each.waitId === waitId)
  if (!task) {
    return (
      <Empty icon="processes" title="This task waits no more" action={<a class="button" href={to(`processes/${instanceId}`)}>To its instance</a>}>
        Somebody has completed it, or the instance went on without it.
      </Empty>
    )
  }
  return <TaskForm task={task} onChange={asked.again} />
}

function TaskForm({ task, onChange }: { task: Task; onChange: () => void }) {
  const instance = useAsk({ $type: "GetProcessInstanceByIdQuery", instanceId: task.instanceId }).data
  const components = task.form?.definition["components"] as Component[] | undefined
  const place = `tasks/${task.instanceId}.${task.waitId}`
  const [kept] = useState(() => recall<{ values?: Values; text?: string }>(place))
  const [values, setValues] = useState<Values | undefined>(kept?.values ?? (components ? undefined : { ...task.variables }))
  const [fields, setFields] = useState<ShownField[]>([])
  const [text, setText] = useState(kept?.text ?? (task.variables ? pretty(task.variables) : ""))
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const schema = task.schema as Schema | null | undefined
  const hasForm = Boolean(components ?? schema?.properties)
  const written = readJson(text)
  const problems = problemsBy(refused?.errors ?? [], "variables.")
  const isShown = (place: string) => fields.some(({ path }) => `variables.${dotted(path)}` === place)
  const enter = (next: Values) => {
    setValues(next)
    if (values) keep(place, { values: next })
  }
  const write = (next: string) => {
    setText(next)
    keep(place, { text: next })
  }
  const complete = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      const variables = components ? entered(values ?? {}, fields) : hasForm ? (values ?? {}) : (written.value ?? {})
      await send({ $type: "CompleteUserTaskCommand", instanceId: task.instanceId, waitId: task.waitId, variables })
      keep(place, undefined)
      toast("Completed")
      go(to(`processes/${task.instanceId}`))
    } catch (error) {
      setRefused(Refused.of(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <Page title={task.name || task.elementId} back={{ label: "Tasks", address: "#/processes?list=tasks" }} actions={<Assignment task={task} onDone={onChange} />}>
      <section class="card card-body">
        <Facts
          facts={[
            ["Instance", <a href={to(`processes/${task.instanceId}`)}>{instance ? `${instance.processKey} ${task.instanceId}` : task.instanceId}</a>],
            instance?.businessKey ? ["Business key", instance.businessKey] : null,
            ["For", task.assignee ?? ([...(task.candidateUsers ?? []), ...(task.candidateGroups ?? [])].join(", ") || "anybody")],
            ["Since", <Time at={task.createdAt} />],
            ["Due", <Time at={task.dueAt} />],
            task.priority ? ["Priority", task.priority] : null,
          ]}
        />
      </section>
      <div class="columns wide-left">
        <form
          class="card"
          noValidate
          onSubmit={(event) => {
            event.preventDefault()
            void complete()
          }}
        >
          <h2>What it asks</h2>
          <div class="card-body stack">
            {components ? (
              <DeployedForm task={task} components={components} values={values} problems={problems} onValues={enter} onFields={setFields} />
            ) : schema?.properties ? (
              <SchemaFields schema={schema} root={schema} value={values ?? {}} problems={problems} path="" onValue={enter} />
            ) : (
              <Field label="What it came to" help="The variables that it leaves, as JSON; or nothing." problem={written.problem}>
                {(own) => <JsonArea {...own} rows={6} value={text} onText={write} placeholder='{"approved": true}' />}
              </Field>
            )}
            {refused && <Refusal refused={refused} sentences={others(refused.errors, isShown)} />}
            {may("processes:write") && (
              <div>
                <Button kind="main" type="submit" isBusy={isBusy} disabled={!hasForm && Boolean(written.problem)}>
                  Complete the task
                </Button>
              </div>
            )}
          </div>
        </form>
        {task.variables ? (
          <Code label="What it is given" text={pretty(task.variables)} />
        ) : (
          instance && Object.keys(instance.variables).length > 0 && <Code label="Variables of the instance" text={pretty(instance.variables)} />
        )}
      </div>
    </Page>
  )
}

/** Whose the task is: it is claimed, given back, or given to somebody. */
function Assignment({ task, onDone }: { task: Task; onDone: () => void }) {
  const [isBusy, setBusy] = useState(false)
  const [isGiving, setGiving] = useState(false)
  if (!may("processes:write")) return null
  const one = { instanceId: task.instanceId, waitId: task.waitId }
  const act = async (message: Message, told: string) => {
    setBusy(true)
    try {
      await send(message)
      toast(told)
    } catch (error) {
      toast(Refused.of(error).errors.join(" · "), true)
    }
    setBusy(false)
    onDone()
  }
  const isMine = task.assignee === account.value?.name
  return (
    <>
      {isMine && (
        <Button isBusy={isBusy} onClick={() => void act({ $type: "UnclaimUserTaskCommand", ...one }, "Given back")}>
          Give it back
        </Button>
      )}
      {!task.assignee && (
        <Button isBusy={isBusy} onClick={() => void act({ $type: "ClaimUserTaskCommand", ...one }, "It is yours")}>
          Claim it
        </Button>
      )}
      <Button onClick={() => setGiving(true)}>Give it to …</Button>
      {isGiving && <Give task={task} onClose={() => setGiving(false)} onDone={onDone} />}
    </>
  )
}

function Give({ task, ...question }: { task: Task; onClose: () => void; onDone: () => void }) {
  const [assignee, setAssignee] = useState("")
  return (
    <Confirm
      title="Give the task to somebody"
      action={assignee ? `Give it to ${assignee}` : "Give it to nobody"}
      {...question}
      onAct={async () => {
        await send({ $type: "AssignUserTaskCommand", instanceId: task.instanceId, waitId: task.waitId, assignee: assignee || null })
        return assignee ? `It is ${assignee}'s` : "It is nobody's"
      }}
    >
      <Field label="User name" help="Without one it is offered again to whom it was offered.">
        {(own) => <Input {...own} value={assignee} onText={setAssignee} />}
      </Field>
    </Confirm>
  )
}
