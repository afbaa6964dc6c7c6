// Short words about what was just done; they leave by themselves, and problems stay until they are closed.

import { signal } from "@preact/signals"
import { IconButton } from "./button"

interface Note {
  id: number
  words: string
  isProblem: boolean
}

const notes = signal<Note[]>([])
let last = 0

/** Shows a word; a problem stays until it is closed. */
export function toast(words: string, isProblem = false): void {
  const id = ++last
  notes.value = [...notes.value.slice(-3), { id, words, isProblem }]
  if (!isProblem) setTimeout(() => close(id), 4000)
}

function close(id: number): void {
  notes.value = notes.value.filter((note) => note.id !== id)
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {notes.value.map((note) => (
        <div key={note.id} class={note.isProblem ? "toast problem" : "toast"}>
          <span>{note.words}</span>
          <IconButton label="Close" icon="close" onClick={() => close(note.id)} />
        </div>
      ))}
    </div>
  )
}
