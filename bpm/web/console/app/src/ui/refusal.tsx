// What the server said when it refused a message: the word for it, and every sentence.

import type { Refused } from "../bus"
import { Badge } from "./badge"

export function Refusal({ refused, sentences = refused.errors }: { refused: Refused; sentences?: string[] }) {
  return (
    <div class="stack" role="alert">
      <div class="row">
        <Badge state={refused.status ? `${refused.status}` : "not sent"} tone="bad" /> {refused.message}
      </div>
      {sentences.length > 0 && (
        <ul class="plain-list">
          {sentences.map((sentence) => (
            <li key={sentence}>{sentence}</li>
          ))}
        </ul>
      )}
    </div>
  )
}
