// A screen with a list of one kind of thing, and below it the messages of its area, each with a form.

import type { ComponentChildren } from "preact"
import { useEffect, useState } from "preact/hooks"
import { catalogue, needCatalogue } from "../catalogue"
import { place, refine } from "../router"
import { may } from "../session"
import { IconButton } from "../ui/button"
import { Page } from "../ui/page"
import { Empty, Loading } from "../ui/states"
import type { Column } from "../ui/table"
import { Tabs } from "../ui/tabs"
import { List, useList, type ListQuery, type Row } from "./list"
import { MessageList } from "./message_list"

interface Props<Q extends ListQuery> {
  title: string
  /** Lists under one title, by the filter `list`. */
  lists?: ReadonlyArray<{ key: string; label: string }>
  query: Q
  columns: Column<Row<Q>>[]
  keyOf: (row: Row<Q>) => string
  addressOf?: (row: Row<Q>) => string
  filters?: ComponentChildren
  isSearched?: boolean
  /** How often it is asked where no stream can be had; without it the list stands still. */
  everySeconds?: number
  actions?: ComponentChildren
  areas: string[]
  empty: ComponentChildren
}

export function ListScreen<Q extends ListQuery>({ title, lists, query, everySeconds, actions, areas, ...list }: Props<Q>) {
  const asked = useList(query, everySeconds)
  return (
    <Page title={title} actions={
        <>
          <IconButton label="Ask again" icon="again" onClick={asked.again} />
          {actions}
        </>
      }>
      {lists && <ListTabs title={title} lists={lists} />}
      <List label={title} asked={asked} {...list} />
      <Messages areas={areas} />
    </Page>
  )
}

/** Changes between the lists of a screen; what was searched in one is forgotten in the next. */
export function ListTabs({ title, lists }: { title: string; lists: ReadonlyArray<{ key: string; label: string }> }) {
  const { filters } = place.value
  const cleared = Object.fromEntries(Object.keys(filters).map((name) => [name, undefined]))
  return <Tabs label={title} tabs={lists} value={filters["list"] ?? lists[0]?.key ?? ""} onTab={(list) => refine({ ...cleared, list })} />
}

/** The messages of an area; the catalogue is large, so it is asked for when somebody looks. */
export function Messages({ areas }: { areas: string[] }) {
  const [isOpen, setOpen] = useState(false)
  return (
    <details class="card section" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Messages that can be sent</summary>
      {isOpen && <MessagesOf areas={areas} />}
    </details>
  )
}

function MessagesOf({ areas }: { areas: string[] }) {
  useEffect(needCatalogue, [])
  if (!catalogue.value) return <Loading />
  const entries = catalogue.value.filter((entry) => areas.includes(entry.area) && may(entry.permission))
  return entries.length ? <MessageList entries={entries} /> : <Empty title="None that you may send" />
}
