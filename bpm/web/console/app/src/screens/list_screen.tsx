// A list of one kind of thing with search and pages, and below it the messages of its area, each with a form.

import type { ComponentChildren } from "preact"
import { useEffect } from "preact/hooks"
import { useAsk } from "../asking"
import { catalogue, needCatalogue } from "../catalogue"
import { place, refine } from "../router"
import { may } from "../session"
import type { Answer, Message } from "../types"
import { IconButton } from "../ui/button"
import { Page } from "../ui/page"
import { Pager } from "../ui/pager"
import { SearchBox } from "../ui/search_box"
import { Empty, Failed, Loading } from "../ui/states"
import { Table, type Column } from "../ui/table"
import { Tabs } from "../ui/tabs"
import { MessageList } from "./message_list"

/** A query whose answer is a page of rows. */
type ListQuery = Extract<Message, { pageNumber?: number; searchText?: string | null }>
type Row<Q extends ListQuery> = Answer<Q> extends { items: Array<infer R> } ? R : never

interface Found<R> {
  items: R[]
  /** How many rows of this page would have been too large to send at once. */
  leftOut: number
  totalCount: number
  pageNumber: number
  totalPages: number
  hasNextPage: boolean
  hasPreviousPage: boolean
}

interface Props<Q extends ListQuery> {
  title: string
  /** Lists under one title, by the filter `list`. */
  lists?: ReadonlyArray<{ key: string; label: string }>
  query: Q
  columns: Column<Row<Q>>[]
  keyOf: (row: Row<Q>) => string
  addressOf?: (row: Row<Q>) => string
  actions?: ComponentChildren
  areas: string[]
  empty: ComponentChildren
}

const SIZE = 50

export function ListScreen<Q extends ListQuery>({ title, lists, query, columns, keyOf, addressOf, actions, areas, empty }: Props<Q>) {
  const { filters } = place.value
  const search = filters["search"] ?? null
  const asked = useAsk({ ...query, pageSize: SIZE, pageNumber: Number(filters["page"] ?? 1), searchText: search })
  const page = asked.data as Found<Row<Q>> | undefined
  return (
    <Page title={title} actions={
        <>
          <IconButton label="Ask again" icon="again" onClick={asked.again} />
          {actions}
        </>
      }>
      {lists && (
        <Tabs
          label={title}
          tabs={lists}
          value={filters["list"] ?? lists[0]?.key ?? ""}
          onTab={(list) => refine({ list, page: undefined, search: undefined })}
        />
      )}
      <div class="filters">
        <SearchBox label="Search" value={search ?? ""} onSearch={(text) => refine({ search: text, page: undefined })} />
        <span class="muted">{page && counted(page)}</span>
      </div>
      {asked.error && !page && <Failed error={asked.error} onAgain={asked.again} />}
      {!page && !asked.error && <Loading rows={6} />}
      {page && page.items.length > 0 && (
        <Table label={title} columns={columns} rows={page.items} keyOf={keyOf} {...(addressOf && { addressOf })} />
      )}
      {page && page.items.length === 0 && <Empty title={search ? "Nothing fits" : "There is nothing yet"}>{search ? "A shorter word may find it." : empty}</Empty>}
      {page && page.totalPages > 1 && <Pager page={page} />}
      <Messages areas={areas} />
    </Page>
  )
}

function counted({ totalCount, leftOut }: Found<unknown>): string {
  return leftOut ? `${totalCount} in all; ${leftOut} of this page are too large to show at once` : `${totalCount} in all`
}

function Messages({ areas }: { areas: string[] }) {
  useEffect(needCatalogue, [])
  const entries = catalogue.value?.filter((entry) => areas.includes(entry.area) && (!entry.permission || may(entry.permission)))
  if (!entries?.length) return null
  return (
    <section class="card">
      <h2>What can be sent</h2>
      <MessageList entries={entries} />
    </section>
  )
}
