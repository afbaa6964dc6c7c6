// The panel beside a drawing: what is chosen, what is wrong with it, and everything that it does.

import { useState } from "preact/hooks"
import { Button } from "../ui/button"
import { Field, Select } from "../ui/field"
import { EventPart, FlowPart, GatewayPart, LoopPart } from "./events"
import { Check, LateText, Part, Text } from "./fields"
import type { Kind } from "./kinds"
import type { Flaw, Modeler } from "./modeler"
import { OtherWords } from "./other_words"
import type { Subject } from "./subject"
import { Mappings, Work } from "./work"

interface Props {
  modeler: Modeler
  flaws: Flaw[]
  round: number
  /** Nothing is deployed yet that others start by its id. */
  isNew: boolean
}

export function Panel({ modeler, flaws, round, isNew }: Props) {
  const subject = modeler.subject()
  if (!subject) return null
  const here = flaws.filter(({ element }) => element === subject.id)
  const isWhole = !subject.element.parent
  return (
    <aside class="card panel" aria-label="Properties" key={subject.element}>
      <div class="card-head">
        <h2>{isWhole ? "The process" : wordsOf(subject)}</h2>
        {!isWhole && (
          <Button kind="quiet" onClick={() => modeler.remove()}>
            Remove
          </Button>
        )}
      </div>
      {here.length > 0 && (
        <ul class="script-problems" aria-label="Problems of what is chosen" aria-live="polite">
          {here.map(({ message }) => (
            <li key={message} class="bad">
              {message}
            </li>
          ))}
        </ul>
      )}
      <div class="card-body stack">
        <Text label="Name" isProse value={subject.object.name ?? ""} onText={(name) => (isNew && subject.kind === "process" ? subject.renameWithId(name) : subject.set({ name }))} />
        <LateText label="Id" isRequired value={subject.id} onText={(id) => subject.rename(id)} />
        {subject.kind === "process" && <Check label="It can be executed" checked={subject.is("isExecutable")} onCheck={(isExecutable) => subject.set({ isExecutable })} />}
      </div>
      <Work subject={subject} round={round} />
      <EventPart subject={subject} />
      <FlowPart subject={subject} />
      <GatewayPart subject={subject} />
      {subject.kind === "adHocSubProcess" && <AdHoc subject={subject} />}
      <Mappings subject={subject} />
      <LoopPart subject={subject} />
      <OtherWords subject={subject} />
      <Part title="Notes" isOpen={subject.documentation !== ""}>
        <Text label="What a reader should know" isProse value={subject.documentation} onText={(text) => (subject.documentation = text)} />
      </Part>
      {!isWhole && <Drawing modeler={modeler} />}
    </aside>
  )
}

function AdHoc({ subject }: { subject: Subject }) {
  return (
    <Part title="How it goes on">
      <Text label="Begins at once" value={subject.text("bpm:activeElements")} help="An expression that gives a list of ids." onText={(text) => subject.set({ "bpm:activeElements": text })} />
      <Text label="Done when" value={subject.expression("completionCondition")} onText={(body) => subject.setExpression("completionCondition", body)} />
    </Part>
  )
}

/** What the mouse does on the drawing, for the keyboard and for fingers. */
function Drawing({ modeler }: { modeler: Modeler }) {
  const [problem, setProblem] = useState<string>()
  const others = modeler.elements().slice(1)
  const self = modeler.subject()?.element.id
  return (
    <Part title="Go on from here">
      <Choose label="Add behind it" kinds={modeler.followers()} onKind={(key) => modeler.append(key)} />
      <Choose label="Add at its edge" kinds={modeler.boundaries()} onKind={(key) => modeler.attach(key)} />
      {modeler.followers().length > 0 && (
        <Field label="Connect it to" problem={problem}>
          {(own) => (
            <Select
              {...own}
              value=""
              choices={[{ value: "", label: "Choose an element" }, ...others.filter(({ id, name }) => id !== self && !name.includes("→")).map(({ id, name }) => ({ value: id, label: name }))]}
              onChoice={(id) => id && setProblem(modeler.connect(id) ? undefined : "No flow may lead there.")}
            />
          )}
        </Field>
      )}
      <Choose label="Change it into" kinds={modeler.changes()} onKind={(key) => modeler.change(key)} />
    </Part>
  )
}

function Choose({ label, kinds, onKind }: { label: string; kinds: Kind[]; onKind: (key: string) => void }) {
  if (!kinds.length) return null
  return (
    <Field label={label}>
      {(own) => <Select {...own} value="" choices={[{ value: "", label: "Choose a kind" }, ...kinds.map(({ key, label: words }) => ({ value: key, label: words }))]} onChoice={(key) => key && onKind(key)} />}
    </Field>
  )
}

/** The kind of an element in words: `Timer boundary event`. */
function wordsOf({ kind, event }: Subject): string {
  const words = `${event ? `${event} ` : ""}${kind.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)}`
  return words.charAt(0).toUpperCase() + words.slice(1)
}
