// One bulk job: how far it is, the way to end it early, and the list of what it touched.

import { useEffect, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Refused, send } from "../../bus"
import { place, refine, to } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Facts } from "../../ui/facts"
import { Page } from "../../ui/page"
import { Pager } from "../../ui/pager"
import { Empty, Failed, Loading } from "../../ui/states"
import { Table, type Column } from "../../ui/table"
import { Tabs } from "../../ui/tabs"
import { Time } from "../../ui/time"
import { toast } from "../../ui/toast"
import { ACTIONS } from "./actions"

type Job = Schemas["BulkJobView"]
type Row = Schemas["BulkRowView"]

const LISTS = [
  { key: "all", label: "All" },
  { key: "done", label: "Done" },
  { key: "refused", label: "Refused" },
  { key: "waiting", label: "Not touched" },
] as const
const SIZE = 100

export function BulkScreen({ id }: { id: string }) {
  const [isOver, setOver] = useState(false)
  const asked = useAsk({ $type: "GetBulkJobByIdQuery", bulkId: id }, isOver ? 0 : 1)
  const job = asked.data
  useEffect(() => setOver(job !== undefined && job.state !== "running" && job.state !== "planned"), [job?.state])
  if (asked.error && !job) return <Failed error={asked.error} onAgain={asked.again} />
  if (!job) return <Loading rows={8} />
  const told = ACTIONS[job.action]
  return (
    <Page
      name={told.name}
      title={
        <span class="row">
          <span>{told.name}</span>
          <Badge state={job.state} />
        </span>
      }
      back={{ label: "Bulk jobs", address: to("dead", { list: "bulk" }) }}
      actions={<Cancel job={job} onDone={asked.again} />}
    >
      {job.error && <div class="notice">{job.error}</div>}
      <section class="card card-body stack">
        <label class="stack" aria-live="polite">
          <span>{progress(job)}</span>
          <progress max={job.total} value={job.done + job.refused} />
        </label>
        <Facts
          facts={[
            ["Asked by", job.askerName],
            ["Planned", <Time at={job.createdAt} />],
            job.startedAt ? ["Began", <Time at={job.startedAt} />] : null,
            job.completedAt ? ["Over", <Time at={job.completedAt} />] : null,
            job.matched > job.total && ["Left out", `${(job.matched - job.total).toLocaleString()} others that fitted`],
            ["Chosen by", chosenBy({ ...job.selection, ...job.fields })],
            ["All of it", <a href={to(`trace/${job.correlationId}`)}>the trace</a>],
          ]}
        />
      </section>
      <Touched job={job} />
    </Page>
  )
}

/** Tells in words what rows were chosen by, and what each message has besides. */
function chosenBy(fields: Record<string, unknown>): string {
  const words = Object.entries(fields).map(([name, value]) => `${name} ${Array.isArray(value) ? `${value.length} named` : String(value)}`)
  return words.join(", ") || "everything"
}

function progress({ total, done, refused, left, state }: Job): string {
  const words = [`${(done + refused).toLocaleString()} of ${total.toLocaleString()} touched`]
  if (refused) words.push(`${refused.toLocaleString()} refused`)
  if (state !== "running" && left) words.push(`${left.toLocaleString()} not touched`)
  return words.join(", ")
}

function Cancel({ job, onDone }: { job: Job; onDone: () => void }) {
  const [isBusy, setBusy] = useState(false)
  if ((job.state !== "running" && job.state !== "planned") || !may("messages:write")) return null
  const cancel = async () => {
    setBusy(true)
    try {
      await send({ $type: "CancelBulkJobCommand", bulkId: job.id })
    } catch (error) {
      toast(Refused.of(error).errors.join(" · "), true)
    }
    setBusy(false)
    onDone()
  }
  return (
    <Button kind="danger" isBusy={isBusy} onClick={() => void cancel()}>
      Cancel the rest
    </Button>
  )
}

function Touched({ job }: { job: Job }) {
  const { filters } = place.value
  const list = LISTS.find((each) => each.key === filters["rows"])?.key ?? "all"
  const asked = useAsk({ $type: "GetBulkJobRowListQuery", bulkId: job.id, state: list === "all" ? null : list, pageSize: SIZE, pageNumber: Number(filters["page"] ?? 1) })
  const touched = job.done + job.refused
  useEffect(() => asked.again(), [touched, job.state])
  const told = ACTIONS[job.action]
  const columns: Column<Row>[] = [
    { name: "Row", width: "320px", narrow: "150px", cell: (row) => <code>{row.ref}</code> },
    { name: "What came of it", width: "168px", narrow: "132px", cell: (row) => <Outcome row={row} done={told.done} isOver={job.completedAt !== null} /> },
    { name: "Why not", isMinor: true, cell: (row) => row.errors?.join(" · ") },
    { name: "When", width: "164px", isMinor: true, cell: (row) => row.completedAt && <Time at={row.completedAt} /> },
  ]
  return (
    <section class="stack" aria-label="What was touched">
      <Tabs label="Rows" tabs={LISTS} value={list} onTab={(rows) => refine({ rows, page: undefined })} />
      {asked.error && !asked.data && <Failed error={asked.error} onAgain={asked.again} />}
      {!asked.data && !asked.error && <Loading rows={6} />}
      {asked.data && asked.data.items.length > 0 && (
        <Table label="What was touched" columns={columns} rows={asked.data.items} keyOf={(row) => String(row.number)} addressOf={(row) => told.addressOf(row.ref)} />
      )}
      {asked.data && !asked.data.items.length && <Empty title="None">No row of this job is among these.</Empty>}
      {asked.data && asked.data.totalPages > 1 && <Pager page={asked.data} />}
    </section>
  )
}

function Outcome({ row, done, isOver }: { row: Row; done: string; isOver: boolean }) {
  if (row.state === "done") return <Badge state={done} tone="good" />
  if (row.state === "refused") return <Badge state="refused" tone="warn" />
  return <Badge state={isOver ? "not touched" : "waiting"} tone={isOver ? "idle" : "busy"} />
}
