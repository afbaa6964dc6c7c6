// What differs between two versions, element by element; each leads to its place.

import { useEffect, useRef } from "preact/hooks"
import type { Schemas } from "../../types"

type Found = Schemas["VersionDifferencesView"]
export type Difference = Schemas["ElementDifferenceView"]

export const SIGNS = { added: "+", removed: "−", changed: "~" } as const
const OPEN_FIELDS = 3
/** So many fields of an element are seen at once; of more, and of elements that only one version has, when asked for. */

interface Props {
  found: Found
  chosen?: string | undefined
  onChoose?: (difference: Difference) => void
}

export function Differences({ found, chosen, onChoose }: Props) {
  const { elements, added, removed, changed } = found
  const total = added + removed + changed
  const list = useRef<HTMLOListElement>(null)
  useEffect(() => list.current?.querySelector(".is-chosen")?.scrollIntoView({ block: "nearest" }), [chosen])
  if (!total) return <p class="card-body muted">Nothing differs but the drawing, if that.</p>
  return (
    <>
      <p class="card-body muted" role="status">
        {[added && `${added} added`, removed && `${removed} removed`, changed && `${changed} changed`].filter(Boolean).join(", ")}
        {total > elements.length && `; the first ${elements.length} are shown`}
      </p>
      <ol class="differences" ref={list}>
        {elements.map((each) => (
          <li key={each.elementId} class={each.elementId === chosen ? "is-chosen" : ""}>
            <div class="row">
              <span class={`mark ${each.change}`} aria-hidden="true">
                {SIGNS[each.change]}
              </span>
              {onChoose ? (
                <button type="button" class="link" aria-pressed={each.elementId === chosen} onClick={() => onChoose(each)}>
                  {each.name || each.elementId || "The file"}
                </button>
              ) : (
                <strong>{each.name || each.elementId || "The file"}</strong>
              )}
              <span class="muted">
                {words(each.kind)}, {each.change}
              </span>
            </div>
            <Fields each={each} />
          </li>
        ))}
      </ol>
    </>
  )
}

function Fields({ each: { change, fields, fieldCount } }: { each: Difference }) {
  if (!fields.length) return null
  const list = (
    <>
      <dl class="facts wide">
        {fields.map(({ path, before, after }) => (
          <div key={path}>
            <dt>{path}</dt>
            <dd class="values">
              {before !== null && <del>{before || "empty"}</del>}
              {after !== null && <ins>{after || "empty"}</ins>}
            </dd>
          </div>
        ))}
      </dl>
      {fieldCount > fields.length && <p class="muted">and {fieldCount - fields.length} further fields</p>}
    </>
  )
  if (change === "changed" && fields.length <= OPEN_FIELDS) return list
  return (
    <details>
      <summary>{fieldCount === 1 ? "one field" : `${fieldCount} fields`}</summary>
      {list}
    </details>
  )
}

/** Returns what a file calls a kind of element in words: `userTask` as "user task". */
function words(kind: string): string {
  return kind.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
}
