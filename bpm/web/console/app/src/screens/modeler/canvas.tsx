// Where a process is drawn; what can be chosen in it stands in a list below as well.

import { useEffect, useRef, useState } from "preact/hooks"
import type { Modeler } from "../../modeler/modeler"
import { Button } from "../../ui/button"
import { Select } from "../../ui/field"
import { Empty, Loading } from "../../ui/states"

interface Props {
  xml: string
  modeler: Modeler | undefined
  onOpen: (modeler: Modeler | undefined) => void
  onChange: (modeler: Modeler) => void
  onChoose: () => void
  onUndone: () => void
}

export function Canvas({ xml, modeler, onOpen, onChange, onChoose, onUndone }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const [problem, setProblem] = useState<string>()
  useEffect(() => {
    const container = place.current
    let opened: Modeler | undefined
    let isGone = false
    import("../../modeler/modeler")
      .then(async ({ openModeler }) => {
        if (isGone || !container) return
        opened = await openModeler(container, xml, { onChange: () => opened && onChange(opened), onChoose })
        if (isGone) opened.end()
        else onOpen(opened)
      })
      .catch((error: unknown) => isGone || setProblem(error instanceof Error ? error.message : String(error)))
    return () => {
      isGone = true
      opened?.end()
      onOpen(undefined)
    }
  }, [])
  if (problem) {
    return (
      <Empty icon="processes" title="This file can't be drawn">
        {/no diagram/i.test(problem) ? "It says what the process does, and not where its elements stand. It can be written as XML." : problem}
      </Empty>
    )
  }
  return (
    <div class="diagram">
      <div class="canvas is-edited" ref={place} role="group" aria-label="Drawing of the process" />
      {modeler ? <Foot modeler={modeler} onUndone={onUndone} /> : <Loading rows={1} />}
    </div>
  )
}

function Foot({ modeler, onUndone }: { modeler: Modeler; onUndone: () => void }) {
  const back = (step: () => void) => () => {
    step()
    onUndone()
  }
  return (
    <div class="row diagram-foot">
      <Select
        aria-label="Element"
        value={modeler.subject()?.element.id ?? ""}
        choices={modeler.elements().map(({ id, name }) => ({ value: id, label: name }))}
        onChoice={(id) => modeler.choose(id)}
      />
      <Button kind="quiet" disabled={!modeler.canUndo()} onClick={back(modeler.undo)}>
        Undo
      </Button>
      <Button kind="quiet" disabled={!modeler.canRedo()} onClick={back(modeler.redo)}>
        Redo
      </Button>
      <Button kind="quiet" onClick={modeler.fit}>
        Fit
      </Button>
    </div>
  )
}
