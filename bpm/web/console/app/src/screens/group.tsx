// A group of messages that has no screen of its own yet: each message with its form.

import { useEffect } from "preact/hooks"
import { catalogue, needCatalogue } from "../catalogue"
import { place } from "../router"
import { may } from "../session"
import { screenAt } from "../shell/screens"
import { Page } from "../ui/page"
import { Empty, Loading } from "../ui/states"
import { MessageList } from "./message_list"

export function Group() {
  useEffect(needCatalogue, [])
  const screen = screenAt(place.value.path[0] ?? "")
  const wanted = screen?.areas ?? []
  const entries = catalogue.value?.filter((entry) => wanted.includes(entry.area) && (!entry.permission || may(entry.permission)))
  return (
    <Page title={screen?.name ?? ""} about="There is no screen for this yet. These messages do its work, each with a form.">
      {!entries && <Loading />}
      {entries && !entries.length && <Empty title="Nothing here is yours to use">Your account lacks the permissions.</Empty>}
      {wanted.map((area) => {
        const own = entries?.filter((entry) => entry.area === area) ?? []
        return (
          own.length > 0 && (
            <section key={area} class="card">
              <h2>{area}</h2>
              <MessageList entries={own} />
            </section>
          )
        )
      })}
    </Page>
  )
}
