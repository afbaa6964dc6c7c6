// Everything that would keep a file from being deployed, each with what leads to its place.

import { Badge } from "../../ui/badge"
import { Refusal } from "../../ui/refusal"
import type { Found, Problem } from "./check"

interface Props {
  found: Found
  onElement?: (id: string) => void
  /** What a place is called, where the file gives it no name. */
  nameOf?: (id: string) => string | undefined
}

export function Problems({ found: { problems, isNow, refused }, onElement, nameOf }: Props) {
  const count = problems.length
  const words = count === 1 ? "1 problem" : `${count} problems`
  return (
    <div class="flaws" role="status" aria-label="Check" aria-busy={!isNow}>
      <p class="row">
        {!isNow ? <Badge state="checking" tone="busy" /> : refused ? null : count ? <Badge state={words} tone="bad" /> : <Badge state="ready to deploy" tone="good" />}
        <span class="muted">{isNow && !count && !refused && "A deployment would find no problem."}</span>
      </p>
      {refused && <Refusal refused={refused} />}
      {count > 0 && (
        <ul class="plain-list">
          {problems.map((problem, at) => (
            <li key={at}>
              <Place problem={problem} onElement={onElement} nameOf={nameOf} />: {problem.message}
            </li>
          ))}
        </ul>
      )}
    </div>
  )
}

interface PlaceProps {
  problem: Problem
  onElement: Props["onElement"]
  nameOf: Props["nameOf"]
}

function Place({ problem: { elementId, elementName, line }, onElement, nameOf }: PlaceProps) {
  const name = nameOf?.(elementId) || elementName || elementId || (line ? `line ${line}` : "the file")
  if (!onElement) return <strong>{[line && `line ${line}`, elementId].filter(Boolean).join(", ") || name}</strong>
  if (!elementId) return <strong>{name}</strong>
  return (
    <button type="button" class="link" onClick={() => onElement(elementId)}>
      {name}
    </button>
  )
}
