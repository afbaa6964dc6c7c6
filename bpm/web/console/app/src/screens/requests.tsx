// What came in: a list that stays where it is while new requests are counted above it.

import type { ComponentChildren } from "preact"
import { useAsk } from "../asking"
import { place, refine, to } from "../router"
import type { Message, Schemas } from "../types"
import { Badge, toneOf } from "../ui/badge"
import { Button, IconButton } from "../ui/button"
import { Select } from "../ui/field"
import { Page } from "../ui/page"
import { Pager } from "../ui/pager"
import { SearchBox } from "../ui/search_box"
import { Empty, Failed, Loading, Stale } from "../ui/states"
import { Table, type Column } from "../ui/table"
import { Time } from "../ui/time"
import { Fresh, useSteady } from "./steady"
import { chooseSpan, spanChoices, spanOf, useSpan, type Span } from "./span"

type Row = Schemas["InboundRequestView"]
type Query = Extract<Message, { $type: "GetInboundRequestListQuery" }>
type State = NonNullable<Query["state"]>

const STATES: State[] = ["pending", "running", "done", "failed", "dead", "rejected", "duplicate", "quarantined"]
const SIZE = 50
const keyOf = (row: Row) => row.requestId

const COLUMNS: Column<Row>[] = [
  { name: "Received", width: "164px", narrow: "96px", cell: (row) => <Time at={row.receivedAt} /> },
  { name: "State", width: "136px", narrow: "128px", cell: (row) => <Badge state={row.state} /> },
  { name: "Request", cell: (row) => <RequestLine row={row} />, note: (row) => row.errors?.[0] ?? (row.verdict === "passed" ? "" : row.verdict) },
  { name: "What became of it", isMinor: true, cell: (row) => <Outcome row={row} /> },
  { name: "Rule", width: "160px", isMinor: true, cell: (row) => row.configKey ?? row.provider ?? <span class="muted">none</span> },
  { name: "From", width: "128px", isMinor: true, cell: (row) => <span class="muted">{row.address}</span> },
]

interface Props {
  title?: string
  /** The one state that is listed; without it, it is a filter. */
  state?: State
  children?: ComponentChildren
}

export function Requests({ title = "Requests", state, children }: Props) {
  const { list: _, ...filters } = place.value.filters
  const number = Number(filters["page"] ?? 1)
  const span = useSpan(filters)
  const asked = useAsk(queryOf(state ? { ...filters, state } : filters, span, number), number === 1 ? 3 : 0)
  const { rows, fresh, show } = useSteady(asked.data, keyOf, asked.question)
  const isFiltered = Object.keys(filters).length > 0

  return (
    <Page
      title={title}
      actions={<IconButton label="Ask again" icon="again" onClick={asked.again} />}
    >
      {children}
      <div class="filters">
        <SearchBox label="Search bodies, paths and keys" value={filters["search"] ?? ""} onSearch={(search) => refine({ search, page: undefined })} />
        {!state && (
          <Select
            aria-label="State"
            value={filters["state"] ?? ""}
            choices={[{ value: "", label: "Every state" }, ...STATES]}
            onChoice={(chosen) => refine({ state: chosen, page: undefined })}
          />
        )}
        <Select aria-label="Time" value={spanOf(filters)} choices={spanChoices(filters)} onChoice={chooseSpan} />
        <SearchBox isShort label="Rule" value={filters["rule"] ?? ""} onSearch={(rule) => refine({ rule, page: undefined })} />
        {isFiltered && (
          <Button kind="quiet" icon="close" onClick={() => refine(cleared(filters))}>
            Clear
          </Button>
        )}
        <span class="muted">{asked.data && counted(asked.data)}</span>
      </div>
      <Fresh count={fresh} onShow={show} />
      {asked.error && !asked.data && <Failed error={asked.error} onAgain={asked.again} />}
      <Stale asked={asked} />
      {!asked.data && !asked.error && <Loading rows={8} />}
      {asked.data && rows.length > 0 && (
        <Table
          label={title}
          columns={COLUMNS}
          rows={rows}
          keyOf={keyOf}
          addressOf={(row) => to(`requests/${row.requestId}`)}
        />
      )}
      {asked.data && rows.length === 0 && <Nothing isFiltered={isFiltered} state={state} />}
      {asked.data && asked.data.totalPages > 1 && <Pager page={asked.data} />}
    </Page>
  )
}

function queryOf(filters: Record<string, string>, span: Span, pageNumber: number): Query {
  return {
    ...span,
    $type: "GetInboundRequestListQuery",
    pageNumber,
    pageSize: SIZE,
    searchText: filters["search"] ?? null,
    state: (filters["state"] as State | undefined) ?? null,
    configKey: filters["rule"] ?? null,
  }
}

function RequestLine({ row }: { row: Row }) {
  return (
    <span class="truncated mono" title={`${row.method} /${row.path}`}>
      <span class="muted">{row.method}</span> /{row.path}
    </span>
  )
}

function Outcome({ row }: { row: Row }) {
  const [first] = row.errors ?? []
  if (first) return <span title={row.errors?.join("\n")}>{first}</span>
  if (row.verdict !== "passed") return <Badge state={row.verdict} tone={toneOf(row.state)} />
  return <span class="muted">{row.messageType ?? ""}</span>
}

function cleared(filters: Record<string, string>): Record<string, undefined> {
  return Object.fromEntries(Object.keys(filters).map((name) => [name, undefined]))
}

function counted(page: Schemas["InboundRequestPage"]): string {
  const total = page.totalIsExact ? `${page.totalCount}` : `more than ${page.totalCount}`
  const many = page.totalCount === 1 ? "1 request" : `${total} requests`
  return page.searchedSince ? `${many}, searched since ${new Date(page.searchedSince).toLocaleString()}` : many
}

function Nothing({ isFiltered, state }: { isFiltered: boolean; state: State | undefined }) {
  if (state && !isFiltered) return <Empty title="Nothing is here, and that is good">What comes to stand here needs somebody.</Empty>
  if (isFiltered) {
    return (
      <Empty title="No request fits" action={<Button onClick={() => refine(cleared(place.value.filters))}>Clear the filters</Button>}>
        Another state, a longer time or a shorter word may find it.
      </Empty>
    )
  }
  return (
    <Empty icon="requests" title="Nothing came in yet" action={<a class="button main" href="#/rules/new">Create a rule</a>}>
      A rule gives a provider an address to send to, and says what becomes of what it sends.
    </Empty>
  )
}
