// What runs for longer: instances, the definitions they follow, and tasks that wait for people.

import { place, refine, to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { Badge } from "../ui/badge"
import type { Column } from "../ui/table"
import { Select } from "../ui/field"
import { Time } from "../ui/time"
import { stateOf } from "./instance/state"
import { ListScreen } from "./list_screen"

type Instance = Schemas["InstanceView"]
type Definition = Schemas["ProcessDefinitionView"]
type Task = Schemas["UserTaskView"]
type Decision = Schemas["DecisionView"]

const LISTS = [
  { key: "instances", label: "Instances" },
  { key: "tasks", label: "Tasks" },
  { key: "definitions", label: "Definitions" },
  { key: "decisions", label: "Decisions" },
]
const AREAS = ["processes"]

const INSTANCES: Column<Instance>[] = [
  { name: "Instance", width: "104px", narrow: "72px", cell: (row) => row.instanceId },
  { name: "State", width: "136px", narrow: "112px", cell: (row) => <Badge state={stateOf(row)} /> },
  { name: "Process", cell: (row) => row.processKey, note: (row) => row.businessKey },
  { name: "Business key", isMinor: true, cell: (row) => row.businessKey },
  { name: "Began", width: "176px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
  { name: "Ended", width: "176px", isMinor: true, cell: (row) => <Time at={row.endedAt} /> },
]

const STATES = [
  { value: "", label: "Every state" },
  { value: "ERROR", label: "incident" },
  { value: "WAITING", label: "waiting" },
  { value: "RUNNING", label: "running" },
  { value: "COMPLETED", label: "completed" },
  { value: "CANCELLED", label: "cancelled" },
] as const

const WHOSE = [
  { value: "", label: "Everybody's tasks" },
  { value: "assigned", label: "My tasks" },
  { value: "offered", label: "What I may claim" },
] as const

const TASKS: Column<Task>[] = [
  { name: "Task", cell: (row) => row.name || row.elementId },
  { name: "For", width: "160px", narrow: "112px", cell: (row) => row.assignee ?? ([...(row.candidateUsers ?? []), ...(row.candidateGroups ?? [])].join(", ") || "anybody") },
  { name: "Instance", width: "104px", isMinor: true, cell: (row) => row.instanceId },
  { name: "Due", width: "176px", isMinor: true, cell: (row) => <Time at={row.dueAt} /> },
  { name: "Since", width: "176px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
]

const DEFINITIONS: Column<Definition>[] = [
  { name: "Process", cell: (row) => row.name },
  { name: "State", width: "112px", cell: (row) => <Badge state={row.isDraft ? "draft" : row.isActive ? "active" : "off"} /> },
  { name: "Key", isMinor: true, cell: (row) => <span class="mono">{row.key}</span> },
  { name: "Version", width: "88px", isMinor: true, isNumber: true, cell: (row) => row.version },
  { name: "Deployed", width: "176px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
]

const DECISIONS: Column<Decision>[] = [
  { name: "Decision", cell: (row) => row.name || row.key },
  { name: "Key", isMinor: true, cell: (row) => <span class="mono">{row.key}</span> },
  { name: "Version", width: "88px", isNumber: true, cell: (row) => row.version },
  { name: "Deployed", width: "176px", isMinor: true, cell: (row) => <Time at={row.createdAt} /> },
]

export function Processes() {
  switch (place.value.filters["list"]) {
    case "tasks":
      return (
        <ListScreen
          key="tasks"
          title="Processes"
          lists={LISTS}
          query={{ $type: "GetUserTaskListQuery", mine: WHOSE.find((each) => each.value === place.value.filters["whose"])?.value || null }}
          everySeconds={5}
          columns={TASKS}
          keyOf={(row) => `${row.instanceId}.${row.waitId}`}
          addressOf={(row) => to(`tasks/${row.instanceId}.${row.waitId}`)}
          filters={
            <Select
              aria-label="Whose"
              value={place.value.filters["whose"] ?? ""}
              choices={WHOSE}
              onChoice={(whose) => refine({ whose: whose || undefined, page: undefined })}
            />
          }
          areas={AREAS}
          empty="No process waits for a person."
        />
      )
    case "definitions":
      return (
        <ListScreen
          key="definitions"
          title="Processes"
          lists={LISTS}
          query={{ $type: "GetProcessDefinitionListQuery" }}
          columns={DEFINITIONS}
          keyOf={(row) => String(row.id)}
          addressOf={(row) => to(`definitions/${row.id}`)}
          actions={
            may("processes:write") && (
              <a class="button main" href="#/diagrams/new">
                New diagram
              </a>
            )
          }
          areas={AREAS}
          empty="A definition is a BPMN diagram that was deployed. Draw one with New diagram; a file is pasted there under XML."
        />
      )
    case "decisions":
      return (
        <ListScreen
          key="decisions"
          title="Processes"
          lists={LISTS}
          query={{ $type: "GetDecisionDefinitionListQuery" }}
          columns={DECISIONS}
          keyOf={(row) => String(row.id)}
          addressOf={(row) => to(`decisions/${row.id}`)}
          actions={
            may("processes:write") && (
              <a class="button main" href="#/decisions/new">
                New decision
              </a>
            )
          }
          areas={AREAS}
          empty="A decision is a DMN table that was deployed. Write one with New decision."
        />
      )
    default:
      return (
        <ListScreen
          key="instances"
          title="Processes"
          lists={LISTS}
          query={{ $type: "GetProcessInstanceListQuery", status: STATES.find((each) => each.value === place.value.filters["state"])?.value || null }}
          everySeconds={5}
          columns={INSTANCES}
          keyOf={(row) => String(row.instanceId)}
          addressOf={(row) => to(`processes/${row.instanceId}`)}
          filters={
            <Select
              aria-label="State"
              value={place.value.filters["state"] ?? ""}
              choices={STATES}
              onChoice={(state) => refine({ state: state || undefined, page: undefined })}
            />
          }
          areas={AREAS}
          empty="An instance begins with a request, an event, a timer, or by hand."
        />
      )
  }
}
