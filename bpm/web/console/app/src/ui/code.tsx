// Text of machines: JSON in colours, everything else as it is; with a button that copies it.

import { useState } from "preact/hooks"
import { indented, stringify } from "../exact_json"
import { IconButton } from "./button"
import { toast } from "./toast"

const TOKENS = /("(?:\\.|[^"\\])*")(\s*:)?|\b(true|false|null)\b|(-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)/g
const MOST = 100_000
/** Beyond this many characters colours would cost more than they help. */

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
        {text.length > MOST ? text : coloured(text)}
      </pre>
    </figure>
  )
}

export async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  toast("Copied")
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
