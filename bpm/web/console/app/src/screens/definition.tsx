// One version of a process: its drawing with where its instances stand, and what starts another one.

import { useMemo, useState } from "preact/hooks"
import { useAsk } from "../asking"
import { send } from "../bus"
import { Diagram } from "../diagrams/diagram"
import type { Mark } from "../diagrams/viewer"
import { stringify } from "../exact_json"
import { go, to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import { ComparedProcesses } from "./comparison/processes"
import { comparedId, VersionChoice } from "./comparison/versions"
import { BulkButton } from "./bulk/button"
import { Button } from "../ui/button"
import { Code } from "../ui/code"
import { Confirm } from "../ui/confirm"
import { Facts } from "../ui/facts"
import { Field, Input } from "../ui/field"
import { JsonArea, readJson } from "../ui/json_area"
import { Page } from "../ui/page"
import { Failed, Loading } from "../ui/states"
import { Time } from "../ui/time"

type Definition = Schemas["ProcessDefinitionDetailView"]
type Counts = Schemas["ProcessDefinitionCountsView"]

const LIVE_SECONDS = 5
const MANY = 100
/** So many versions can be compared with, the newest. */
const NOTHING: ReadonlySet<string> = new Set()

export function DefinitionScreen({ id }: { id: string }) {
  const asked = useAsk({ $type: "GetProcessDefinitionByIdQuery", id: Number(id) })
  const counted = useAsk({ $type: "GetProcessDefinitionCountsQuery", id: Number(id) }, LIVE_SECONDS)
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!asked.data) return <Loading rows={10} />
  return <Whole definition={asked.data} counts={counted.data} onChange={asked.again} />
}

function Whole({ definition, counts, onChange }: { definition: Definition; counts: Counts | undefined; onChange: () => void }) {
  const [chosen, choose] = useState<string>()
  const marks = useMemo(() => (counts ? marksOf(counts) : []), [stringify(counts?.elements)])
  const versions = useAsk({ $type: "GetProcessDefinitionListQuery", key: definition.key, pageSize: MANY, sortBy: "version" })
  const otherId = comparedId()
  const here = counts?.elements.find((each) => each.elementId === chosen)
  return (
    <Page
      name={definition.name}
      title={
        <span class="row">
          <span>{definition.name}</span>
          <Badge state={definition.isDraft ? "draft" : definition.isActive ? "active" : "off"} />
        </span>
      }
      back={{ label: "Definitions", address: "#/processes?list=definitions" }}
      about={definition.description || undefined}
      actions={
        <>
          {counts?.elements.some((each) => each.incidents > 0) && <RetryIncidents label="Retry its incidents" selection={{ definitionId: definition.id }} />}
          <Actions definition={definition} onChange={onChange} />
        </>
      }
    >
      {definition.stopped && <p class="notice">{definition.stopped}</p>}
      {definition.gaps.length > 0 && (
        <div class="notice">
          <ul class="plain-list">
            {definition.gaps.map((gap) => (
              <li key={gap}>{gap}</li>
            ))}
          </ul>
        </div>
      )}
      <section class="card card-body">
        <Facts
          facts={[
            ["Key", <code>{definition.key}</code>],
            ["Version", definition.version],
            ["Deployed", <Time at={definition.createdAt} />],
            ...Object.entries(counts?.instances ?? {}).map(([status, count]): [string, preact.ComponentChild] => [status === "ERROR" ? "With incidents" : `${status.charAt(0)}${status.slice(1).toLowerCase()}`, count.toLocaleString()]),
            counts?.countedSince ? ["Counted since", <Time at={counts.countedSince} />] : null,
            definition.triggerEvents.length ? ["Started by events", definition.triggerEvents.join(", ")] : null,
          ]}
        />
      </section>
      <VersionChoice id={definition.id} versions={versions.data?.items ?? []} />
      {otherId ? <ComparedProcesses definition={definition} otherId={otherId} /> : <section class="card">
        <Diagram xml={definition.bpmnXml} marks={marks} passed={NOTHING} chosen={chosen} onChoose={choose} {...(!marks.length && { legend: null })} />
        {chosen && (
          <div class="card-body row">
            <p role="status">
              At <strong>{chosen}</strong>: {here ? `${here.waiting} waiting, ${here.incidents} failed` : "nothing waits"}.
            </p>
            {here && here.incidents > 0 && <RetryIncidents label="Retry these" selection={{ definitionId: definition.id, elementId: chosen }} />}
          </div>
        )}
      </section>}
      <Code label="BPMN" text={definition.bpmnXml} />
    </Page>
  )
}

function RetryIncidents({ label, selection }: { label: string; selection: { definitionId: number; elementId?: string } }) {
  return (
    <BulkButton label={label} permission="processes:write" title="Retry incidents" verb={["Retry", ""]} plan={{ action: "retryIncidents", selection }}>
      <p>What failed{selection.elementId ? ` at ${selection.elementId}` : " in instances of this version"} is tried once more, with the variables as they are now.</p>
    </BulkButton>
  )
}

function marksOf({ elements }: Counts): Mark[] {
  return elements.flatMap(({ elementId: element, waiting, incidents }): Mark[] => [
    ...(waiting ? [{ element, kind: "token" as const, text: waiting.toLocaleString(), about: `${waiting} waiting` }] : []),
    ...(incidents ? [{ element, kind: "incident" as const, text: `! ${incidents.toLocaleString()}`, about: `${incidents} failed` }] : []),
  ])
}

function Actions({ definition, onChange }: { definition: Definition; onChange: () => void }) {
  const [doing, ask] = useState<"start" | "switch">()
  const { id, isActive } = definition
  if (!may("processes:write")) return null
  const edit = (
    <a class="button" href={to(`diagrams/${id}`)}>
      Edit
    </a>
  )
  if (definition.isDraft) return edit
  return (
    <>
      {edit}
      <a class="button" href={to("processes", { search: definition.key })}>
        Its instances
      </a>
      <Button onClick={() => ask("switch")}>{isActive ? "Switch off" : "Switch on"}</Button>
      {isActive && (
        <Button kind="main" icon="play" onClick={() => ask("start")}>
          Start one
        </Button>
      )}
      {doing === "start" && <Start definition={definition} onClose={() => ask(undefined)} />}
      {doing === "switch" && (
        <Confirm
          title={isActive ? "Switch this version off?" : "Switch this version on?"}
          action={isActive ? "Switch off" : "Switch on"}
          onClose={() => ask(undefined)}
          onDone={onChange}
          onAct={async () => {
            await send({ $type: isActive ? "DeactivateProcessDefinitionCommand" : "ActivateProcessDefinitionCommand", id })
            return isActive ? "Switched off" : "Switched on"
          }}
        >
          <p>{isActive ? "It starts no more instances; those that run go on." : "It starts instances again, and acts for you as well when it does so by itself."}</p>
        </Confirm>
      )}
    </>
  )
}

function Start({ definition, onClose }: { definition: Definition; onClose: () => void }) {
  const [text, setText] = useState("")
  const [businessKey, setKey] = useState("")
  const { value, problem } = readJson(text)
  return (
    <Confirm
      title={`Start ${definition.name}`}
      action="Start it"
      isReady={!problem}
      onClose={onClose}
      onDone={() => undefined}
      onAct={async () => {
        const instance = await send({
          $type: "StartProcessInstanceCommand",
          processDefinitionId: definition.id,
          variables: value ?? {},
          ...(businessKey && { businessKey }),
        })
        go(to(`processes/${instance.instanceId}`))
        return `Instance ${instance.instanceId} began`
      }}
    >
      <Field label="Business key">{(own) => <Input {...own} spellcheck={false} value={businessKey} onText={setKey} />}</Field>
      <Field label="Variables" problem={problem} help="JSON, or nothing.">
        {(own) => <JsonArea {...own} value={text} onText={setText} placeholder='{"amount": 10}' />}
      </Field>
    </Confirm>
  )
}
