// A process as it is drawn. The drawing is for the eye and the mouse; what can be chosen in it stands in a list as well.

import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Button } from "../ui/button"
import { Select } from "../ui/field"
import { Empty } from "../ui/states"
import type { Mark, Named, Viewer } from "./viewer"

interface Props {
  xml: string
  marks: Mark[]
  /** Elements and flows that were passed. */
  passed: ReadonlySet<string>
  chosen: string | undefined
  /** What the marks mean; where nothing is said, those of what runs. */
  legend?: ComponentChildren
  onChoose: (element: string | undefined) => void
}

const RUNNING = (
  <>
    <span class="mark token">1</span> waits <span class="mark incident">!</span> needs somebody <span class="passed-line" /> passed
  </>
)

export function Diagram({ xml, marks, passed, chosen, legend = RUNNING, onChoose }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const viewer = useRef<Viewer | undefined>(undefined)
  const [elements, setElements] = useState<Named[]>([])
  const [problem, setProblem] = useState<string>()

  useEffect(() => {
    const container = place.current
    let isGone = false
    import("./viewer")
      .then(async ({ openViewer }) => {
        if (isGone || !container) return
        const opened = await openViewer(container, xml, onChoose)
        if (isGone) return opened.end()
        viewer.current = opened
        setElements(opened.elements)
      })
      .catch((error: unknown) => isGone || setProblem(error instanceof Error ? error.message : String(error)))
    return () => {
      isGone = true
      viewer.current?.end()
      viewer.current = undefined
    }
  }, [xml])
  useEffect(() => viewer.current?.mark(marks, passed, chosen), [elements, marks, passed, chosen])

  if (problem) {
    return (
      <Empty icon="processes" title="There is no drawing of this process">
        {/no diagram/i.test(problem) ? "Its file says what it does, and not where its elements stand. What it waits for is listed here all the same." : problem}
      </Empty>
    )
  }
  return (
    <div class="diagram">
      <div class="canvas" ref={place} role="group" aria-label="Drawing of the process" />
      <div class="row diagram-foot">
        <Select
          aria-label="Element"
          value={chosen ?? ""}
          choices={[{ value: "", label: "Choose an element" }, ...elements.map(({ id, name }) => ({ value: id, label: name }))]}
          onChoice={(id) => onChoose(id || undefined)}
        />
        <Button kind="quiet" onClick={() => viewer.current?.fit()}>
          Fit
        </Button>
        <span class="muted legend">
          {legend}
        </span>
      </div>
    </div>
  )
}
