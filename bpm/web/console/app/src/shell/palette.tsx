// Ctrl-K: finds screens, things by their id, and every message of the catalogue.

import { useEffect, useMemo, useState } from "preact/hooks"
import { catalogue, needCatalogue, words } from "../catalogue"
import { go, to } from "../router"
import { may } from "../session"
import { Dialog } from "../ui/dialog"
import { Icon, type IconName } from "../ui/icon"
import { SCREENS } from "./screens"

interface Find {
  address: string
  name: string
  about: string
  icon: IconName
  /** Further words it is found by. */
  words?: string
}

const MOST = 50
const REQUEST_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-/i

export function Palette({ onClose }: { onClose: () => void }) {
  const [text, setText] = useState("")
  const [at, setAt] = useState(0)
  useEffect(needCatalogue, [])
  const found = useMemo(() => find(text.trim()), [text, catalogue.value])
  const chosen = found[Math.min(at, found.length - 1)]

  const open = (one: Find | undefined) => {
    if (!one) return
    onClose()
    go(one.address)
  }
  const press = (event: KeyboardEvent) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key]
    const typed = (event.currentTarget as HTMLInputElement).value // what is not drawn yet counts, too
    if (by) setAt((at + by + found.length) % Math.max(found.length, 1))
    else if (event.key === "Enter") open(typed === text ? chosen : find(typed.trim())[0])
    else return
    event.preventDefault()
  }

  return (
    <Dialog title="Find" isBare onClose={onClose}>
      <div class="palette-search">
        <Icon name="search" />
        <input
          role="combobox"
          aria-label="Find a screen, an id or a message"
          aria-expanded="true"
          aria-controls="found"
          aria-activedescendant={chosen ? `found-${found.indexOf(chosen)}` : undefined}
          placeholder="A screen, an id, a message"
          spellcheck={false}
          autofocus
          value={text}
          onInput={(event) => {
            setText(event.currentTarget.value)
            setAt(0)
          }}
          onKeyDown={press}
        />
        <kbd>Esc</kbd>
      </div>
      <ul id="found" class="palette-list" role="listbox" aria-label="Found">
        {found.map((one, index) => (
          <li
            key={one.address}
            id={`found-${index}`}
            role="option"
            aria-selected={one === chosen}
            ref={one === chosen ? (element) => element?.scrollIntoView({ block: "nearest" }) : null}
            onMouseMove={() => setAt(index)}
            onClick={() => open(one)}
          >
            <Icon name={one.icon} />
            <span>{one.name}</span>
            <span>{one.about}</span>
          </li>
        ))}
      </ul>
      {!found.length && <p class="palette-empty">Nothing is called like that. To look into bodies, search the requests.</p>}
    </Dialog>
  )
}

function find(text: string): Find[] {
  const screens = SCREENS.map(({ path, name, icon }): Find => ({ address: to(path), name, about: "screen", icon }))
  const messages = (catalogue.value ?? [])
    .filter((entry) => may(entry.permission))
    .map(({ type, area, description }): Find => ({
      address: to(`anything/${type}`),
      name: words(type),
      about: area,
      icon: "anything",
      words: description.split("\n")[0] ?? "",
    }))
  const matching = [...screens, ...messages].filter((one) => matches(`${one.name} ${one.about} ${one.address} ${one.words ?? ""}`, text))
  const named = matching.filter((one) => matches(one.name, text))
  const others = matching.filter((one) => !matches(one.name, text))
  return [...byId(text), ...[...named, ...others].slice(0, MOST), ...byWord(text)]
}

/** Every word must be found, in any order. */
function matches(where: string, text: string): boolean {
  const low = where.toLowerCase()
  return text.toLowerCase().split(/\s+/).every((word) => low.includes(word))
}

function byId(text: string): Find[] {
  const found: Find[] = []
  if (REQUEST_ID.test(text)) found.push({ address: to(`requests/${text}`), name: `Request ${text}`, about: "id", icon: "requests" })
  if (/^\d{1,18}$/.test(text)) found.push({ address: to(`processes/${text}`), name: `Instance ${text}`, about: "id", icon: "processes" })
  if (found.length && may("traces:read")) found.push({ address: to(`trace/${text}`), name: `All that belongs to ${text}`, about: "trace", icon: "requests" })
  return found
}

/** Bodies of requests are searched where nothing is called like that. */
function byWord(text: string): Find[] {
  if (text.length < 3) return []
  return [{ address: to("requests", { search: text }), name: `Requests that hold “${text}”`, about: "search", icon: "requests" }]
}
