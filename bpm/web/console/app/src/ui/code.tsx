// Text of machines: JSON in colours, everything else as it is; with a button that copies it.

import { useState } from "preact/hooks"
import { indented, stringify } from "../exact_json"
import { IconButton } from "./button"
import { toast } from "./toast"

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g
const JSON_TEXT = /^\s*(?:[[{"]|(?:-?\d[\d.eE+-]*|true|false|null)\s*$)/
const MOST = 100_000
/** A browser takes seconds to lay out more characters than this: the others are shown on demand. */

export function pretty(value: unknown): string {
  return stringify(value, 2)
}

/** Returns JSON text with line breaks, or the text as it is when it is none. */
export function formatted(text: string): string {
  try {
    return indented(text)
  } catch {
    return text
  }
}

export function Code({ text, label }: { text: string; label: string }) {
  const [isWrapped, setWrapped] = useState(true)
  const [isWhole, showWhole] = useState(false)
  const shown = isWhole ? text : text.slice(0, MOST)
  return (
    <figure class="code">
      <figcaption>
        <span>{label}</span>
        <span class="row">
          <button type="button" class="link" aria-pressed={isWrapped} onClick={() => setWrapped(!isWrapped)}>
            {isWrapped ? "one line each" : "wrap"}
          </button>
          <IconButton label={`Copy ${label.toLowerCase()}`} icon="copy" onClick={() => copy(text)} />
        </span>
      </figcaption>
      <pre class={isWrapped ? "wrapped" : ""} tabIndex={0} aria-label={label}>
        {isWhole || !JSON_TEXT.test(text) ? shown : coloured(shown)}
      </pre>
      {shown.length < text.length && (
        <p class="code-foot">
          These are the first {MOST.toLocaleString()} of {text.length.toLocaleString()} characters.
          <button type="button" class="link" onClick={() => showWhole(true)}>
            Show all
          </button>
        </p>
      )}
    </figure>
  )
}

/** Copies text, or says that the browser does not: over plain HTTP from another machine it has no clipboard for pages. */
export async function copy(text: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    toast("Copied")
  } catch {
    toast("The browser lets this page copy nothing. Select the text, and copy it by hand.", true)
  }
}

function coloured(text: string) {
  const parts = []
  let end = 0
  for (const match of text.matchAll(TOKENS)) {
    const [whole, string, colon, word] = match
    parts.push(text.slice(end, match.index))
    const kind = colon ? "name" : string ? "string" : word ? "word" : "number"
    parts.push(
      <span key={match.index} class={`json-${kind}`}>
        {string ?? whole}
      </span>,
    )
    if (colon) parts.push(colon)
    end = match.index + whole.length
  }
  return [...parts, text.slice(end)]
}
