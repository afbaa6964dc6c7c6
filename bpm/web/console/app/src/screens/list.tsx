// A table of one kind of thing with search and pages; where one is in it stands in the address.

import type { ComponentChildren } from "preact"
import { useAsk, type Asked } from "../asking"
import { place, refine } from "../router"
import type { Answer, Message } from "../types"
import { Pager } from "../ui/pager"
import { SearchBox } from "../ui/search_box"
import { Empty, Failed, Loading, Stale } from "../ui/states"
import { Table, type Column } from "../ui/table"
import { Fresh, useSteady } from "./steady"

/** A query whose answer is a page of rows. */
export type ListQuery = Extract<Message, { pageNumber?: number; searchText?: string | null }>
export type Row<Q extends ListQuery> = Answer<Q> extends { items: Array<infer R> } ? R : never

interface Found<R> {
  items: R[]
  /** How many rows of this page would have been too large to send at once. */
  leftOut: number
  totalCount: number
  totalIsExact?: boolean
  pageNumber: number
  totalPages: number
  hasNextPage: boolean
  hasPreviousPage: boolean
}

const SIZE = 50

/** Asks for the page of a list that the address says; the first one is live where `everySeconds` says so. */
export function useList<Q extends ListQuery>(query: Q, everySeconds = 0): Asked<Found<Row<Q>>> {
  const { filters } = place.value
  const pageNumber = Number(filters["page"] ?? 1)
  const asked = useAsk({ ...query, pageSize: SIZE, pageNumber, searchText: filters["search"] ?? null }, pageNumber === 1 ? everySeconds : 0)
  return asked as Asked<Found<Row<Q>>>
}

interface Props<R> {
  label: string
  asked: Asked<Found<R>>
  columns: Column<R>[]
  keyOf: (row: R) => string
  addressOf?: (row: R) => string
  /** Further filters beside the search; without words to search in, `isSearched` is false. */
  filters?: ComponentChildren
  isSearched?: boolean
  empty: ComponentChildren
}

export function List<R>({ label, asked, columns, keyOf, addressOf, filters, isSearched = true, empty }: Props<R>) {
  const { data: page, error, again } = asked
  const { search, list: _list, page: _page, ...further } = place.value.filters
  const isFiltered = Object.values(further).some(Boolean)
  const { rows, fresh, show } = useSteady(page, keyOf, asked.question)
  return (
    <>
      <div class="filters">
        {isSearched && <SearchBox label="Search" value={search ?? ""} onSearch={(text) => refine({ search: text, page: undefined })} />}
        {filters}
        <span class="muted">{page && counted(page)}</span>
      </div>
      <Fresh count={fresh} onShow={show} />
      <Stale asked={asked} />
      {error && !page && <Failed error={error} onAgain={again} />}
      {!page && !error && <Loading rows={6} />}
      {page && page.items.length > 0 && <Table label={label} columns={columns} rows={rows} keyOf={keyOf} {...(addressOf && { addressOf })} />}
      {page && page.items.length === 0 && <Empty title={search || isFiltered ? "Nothing fits" : "There is nothing yet"}>{search ? "A shorter word may find it." : isFiltered ? "Without a filter there may be more." : empty}</Empty>}
      {page && page.totalPages > 1 && <Pager page={page} />}
    </>
  )
}

function counted({ totalCount, totalIsExact, leftOut }: Found<unknown>): string {
  const total = totalIsExact === false ? `more than ${totalCount}` : `${totalCount} in all`
  return leftOut ? `${total}; ${leftOut} of this page are too large to show at once` : total
}
