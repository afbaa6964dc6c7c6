// Names of messages, each leading to its form.

import { words, type Entry } from "../catalogue"
import { to } from "../router"

export function MessageList({ entries }: { entries: Entry[] }) {
  return (
    <ul class="messages card-body">
      {entries.map((entry) => (
        <li key={entry.type}>
          <a href={to(`anything/${entry.type}`)} title={entry.description}>
            <span class="truncated">{words(entry.type)}</span>
            <span class="muted truncated">{entry.type}</span>
          </a>
        </li>
      ))}
    </ul>
  )
}
