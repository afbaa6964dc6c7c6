// One instance of a process: where its tokens stand on the drawing, what happened, and what can be done about it.

import { useMemo, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Diagram } from "../../diagrams/diagram"
import type { Mark } from "../../diagrams/viewer"
import { stringify } from "../../exact_json"
import { to } from "../../router"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { IconButton } from "../../ui/button"
import { Code, pretty } from "../../ui/code"
import { Facts } from "../../ui/facts"
import { Page } from "../../ui/page"
import { Failed, Loading } from "../../ui/states"
import { Tabs } from "../../ui/tabs"
import { Time } from "../../ui/time"
import { Actions } from "./actions"
import { namesOf } from "./names"
import { stateOf } from "./state"
import { Waits } from "./waits"

export type Instance = Schemas["InstanceDetailView"]
type Entry = Schemas["HistoryEntryView"]

const LIVE_SECONDS = 3
const MOST = 1_000
const ENDED = ["COMPLETED", "CANCELLED"]
const GONE = ["activated", "failed"]
/** What happened at an element that was reached and not passed. */

export function InstanceScreen({ id }: { id: string }) {
  const instanceId = Number(id)
  const [seconds, setSeconds] = useState(LIVE_SECONDS)
  const asked = useAsk({ $type: "GetProcessInstanceByIdQuery", instanceId }, seconds)
  const isOver = asked.data !== undefined && ENDED.includes(asked.data.status)
  if (isOver && seconds) setSeconds(0)
  const past = useAsk({ $type: "GetProcessInstanceHistoryQuery", instanceId, pageSize: MOST }, seconds)
  const definitionId = asked.data?.processDefinitionId
  const definition = useAsk(definitionId === undefined ? null : { $type: "GetProcessDefinitionByIdQuery", id: definitionId })
  const again = () => {
    asked.again()
    past.again()
  }
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  return <Whole instance={asked.data} history={past.data} definition={definition.data} onChange={again} />
}

interface Props {
  instance: Instance
  history: Schemas["HistoryView"] | undefined
  definition: Schemas["ProcessDefinitionDetailView"] | undefined
  onChange: () => void
}

function Whole({ instance, history, definition, onChange }: Props) {
  const [chosen, choose] = useState<string>()
  const key = stringify([instance.currentTasks, history?.totalCount])
  const marks = useMemo(() => marksOf(instance), [key])
  const passed = useMemo(() => passedOf(history?.items ?? []), [key])
  const nameOf = useMemo(() => namesOf(definition?.bpmnXml), [definition])
  return (
    <Page
      name={`${instance.processKey} ${instance.instanceId}`}
      title={
        <span class="row">
          <span>
            {definition?.name ?? instance.processKey} {instance.instanceId}
          </span>
          <Badge state={stateOf(instance)} />
        </span>
      }
      back={{ label: "Processes", address: "#/processes" }}
      actions={
        <>
          <IconButton label="Ask again" icon="again" onClick={onChange} />
          <Actions instance={instance} chosen={chosen} onDone={onChange} />
        </>
      }
    >
      <section class="card card-body">
        <Facts
          facts={[
            ["Business key", instance.businessKey],
            ["Began", <Time at={instance.createdAt} />],
            ["Ended", <Time at={instance.endedAt} />],
            ["Process", <a href={to(`definitions/${instance.processDefinitionId}`)}>{`${instance.processKey}, version ${definition?.version ?? "…"}`}</a>],
            instance.parentInstanceId !== null ? ["Called by", <a href={to(`processes/${instance.parentInstanceId}`)}>instance {instance.parentInstanceId}</a>] : null,
            ["All that belongs to it", <a href={to(`trace/${instance.instanceId}`)}>from the request to the last effect</a>],
          ]}
        />
      </section>
      {definition && (
        <section class="card">
          <Diagram xml={definition.bpmnXml} marks={marks} passed={passed} chosen={chosen} onChoose={choose} />
        </section>
      )}
      <div class="columns">
        <Waits instance={instance} chosen={chosen} nameOf={nameOf} onDone={onChange} />
        <Told instance={instance} history={history} chosen={chosen} nameOf={nameOf} />
      </div>
    </Page>
  )
}

interface ToldProps extends Pick<Props, "instance" | "history"> {
  chosen: string | undefined
  nameOf: (id: string) => string
}

function Told({ instance, history, chosen, nameOf }: ToldProps) {
  const [part, setPart] = useState<"history" | "variables">("history")
  const entries = (history?.items ?? []).filter((entry) => !chosen || entry.elementId === chosen)
  return (
    <section class="card">
      <div class="card-head">
        <Tabs
          label="What is known of it"
          value={part}
          onTab={setPart}
          tabs={[
            { key: "history", label: "What happened", count: history?.totalCount },
            { key: "variables", label: "Variables", count: Object.keys(instance.variables).length },
          ]}
        />
        {chosen && <span class="muted">at {nameOf(chosen)}</span>}
      </div>
      <div class="card-body">
        {part === "variables" && <Code label="Variables" text={pretty(instance.variables)} />}
        {part === "history" && !history && <Loading rows={4} />}
        {part === "history" && history && !entries.length && <p class="muted">Nothing happened {chosen ? "at this element" : "yet"}.</p>}
        {part === "history" && (
          <ol class="story">
            {entries.map((entry, index) => (
              <Happened key={index} entry={entry} name={nameOf(entry.elementId)} />
            ))}
          </ol>
        )}
        {history && history.totalCount > history.items.length && <p class="muted">The first {history.items.length} of {history.totalCount} are shown.</p>}
      </div>
    </section>
  )
}

function Happened({ entry, name }: { entry: Entry; name: string }) {
  const { message, ...values } = entry.values
  return (
    <li class={entry.event === "failed" ? "bad" : ""}>
      <div class="row">
        <strong title={entry.elementId}>
          {name} {entry.event}
        </strong>
        <span class="muted">
          <Time at={entry.at} age={false} />
        </span>
      </div>
      {message !== undefined && <p class="muted">{String(message)}</p>}
      {Object.keys(values).length > 0 && (
        <details>
          <summary class="muted">its values</summary>
          <Code label={`Values of ${entry.elementId}`} text={pretty(values)} />
        </details>
      )}
    </li>
  )
}

/** Returns one mark an element: how many wait there, or that somebody is needed. */
function marksOf({ currentTasks }: Instance): Mark[] {
  const elements = [...new Set(currentTasks.map((task) => task.elementId))]
  return elements.flatMap((element): Mark[] => {
    const here = currentTasks.filter((task) => task.elementId === element)
    const incidents = here.filter((task) => task.kind === "incident").length
    const waiting = here.length - incidents
    return [
      ...(waiting ? [{ element, kind: "token" as const, text: String(waiting), about: `${waiting} waiting` }] : []),
      ...(incidents ? [{ element, kind: "incident" as const, text: incidents > 1 ? `! ${incidents}` : "!", about: `${incidents} failed` }] : []),
    ]
  })
}

function passedOf(entries: Entry[]): ReadonlySet<string> {
  return new Set(entries.flatMap((entry) => (GONE.includes(entry.event) ? entry.flows : [entry.elementId, ...entry.flows])))
}
