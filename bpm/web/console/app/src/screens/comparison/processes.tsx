// Two versions of a process: what differs is drawn on either of them, and listed beside it.

import { useMemo, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Diagram } from "../../diagrams/diagram"
import type { Mark } from "../../diagrams/viewer"
import type { Schemas } from "../../types"
import { Segments } from "../../ui/segments"
import { Failed, Loading } from "../../ui/states"
import { Differences, SIGNS, type Difference } from "./differences"

type Definition = Schemas["ProcessDefinitionDetailView"]
type Side = "before" | "after"

const NOTHING: ReadonlySet<string> = new Set()
const LEGEND = (
  <>
    <span class="mark added">+</span> added <span class="mark removed">−</span> removed <span class="mark changed">~</span> changed
  </>
)

export function ComparedProcesses({ definition, otherId }: { definition: Definition; otherId: number }) {
  const other = useAsk({ $type: "GetProcessDefinitionByIdQuery", id: otherId })
  if (other.error) return <Failed error={other.error} onAgain={other.again} />
  if (!other.data || other.data.id !== otherId) return <Loading rows={8} />
  const [before, after] = other.data.version < definition.version ? [other.data, definition] : [definition, other.data]
  return <Compared key={`${before.id} ${after.id}`} before={before} after={after} />
}

function Compared({ before, after }: Record<Side, Definition>) {
  const asked = useAsk({ $type: "CompareProcessDefinitionsQuery", beforeId: before.id, afterId: after.id })
  const [side, setSide] = useState<Side>("after")
  const [chosen, setChosen] = useState<string>()
  const marks = useMemo(() => marksOn(side, asked.data?.elements ?? []), [side, asked.data])
  const choose = ({ elementId, change }: Difference) => {
    setChosen(elementId)
    if (change !== "changed") setSide(change === "removed" ? "before" : "after")
  }
  return (
    <div class="columns wide-left">
      <section class="card">
        <div class="card-head">
          <h2>
            From version {before.version} to {after.version}
          </h2>
          <Segments
            label="Which drawing"
            value={side}
            choices={[
              { value: "before", label: `Version ${before.version}` },
              { value: "after", label: `Version ${after.version}` },
            ]}
            onChoice={setSide}
          />
        </div>
        <Diagram xml={{ before, after }[side].bpmnXml} marks={marks} passed={NOTHING} chosen={chosen} legend={LEGEND} onChoose={setChosen} />
      </section>
      <section class="card">
        <h2>What differs</h2>
        {asked.error && !asked.data && <Failed error={asked.error} onAgain={asked.again} />}
        {asked.data ? <Differences found={asked.data} chosen={chosen} onChoose={choose} /> : !asked.error && <Loading />}
      </section>
    </div>
  )
}

function marksOn(side: Side, elements: Difference[]): Mark[] {
  const absent = side === "after" ? "removed" : "added"
  return elements
    .filter(({ change }) => change !== absent)
    .map(({ elementId, change }) => ({ element: elementId, kind: change, text: SIGNS[change], about: change }))
}
