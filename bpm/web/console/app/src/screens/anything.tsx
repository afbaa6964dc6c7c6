// Every message of the catalogue that the account may send, by area.

import { useEffect, useState } from "preact/hooks"
import { catalogue, needCatalogue } from "../catalogue"
import { may } from "../session"
import { Input } from "../ui/field"
import { Page } from "../ui/page"
import { Empty, Loading } from "../ui/states"
import { MessageList } from "./message_list"

export function Anything() {
  const [text, setText] = useState("")
  useEffect(needCatalogue, [])
  const entries = catalogue.value?.filter((entry) => may(entry.permission))
  const found = entries?.filter((entry) => `${entry.type} ${entry.description}`.toLowerCase().includes(text.toLowerCase()))
  const areas = [...new Set(found?.map((entry) => entry.area))].sort()
  return (
    <Page title="Anything" about="Each message of the bus with a form made from its schema. What the bus can do, can be done here.">
      <div class="filters">
        <Input class="control wide" type="search" aria-label="Search messages" placeholder="Search names and descriptions" value={text} onText={setText} />
        <span class="muted">{found && `${found.length} messages`}</span>
      </div>
      {!found && <Loading />}
      {found && !found.length && <Empty title="No message fits">Try a word of what it does.</Empty>}
      {areas.map((area) => (
        <section key={area} class="card">
          <h2>{area}</h2>
          <MessageList entries={found?.filter((entry) => entry.area === area) ?? []} />
        </section>
      ))}
    </Page>
  )
}
