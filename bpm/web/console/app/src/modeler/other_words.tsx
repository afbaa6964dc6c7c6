// Extension elements that the panel has no fields for, in another engine's words or ours: their attributes and texts.

import { Field } from "../ui/field"
import { JsonArea } from "../ui/json_area"
import { IconButton } from "../ui/button"
import { Part, Text } from "./fields"
import type { Moddle, Subject } from "./subject"

const SHOWN = ["bpm:Command", "bpm:Message", "bpm:Input", "bpm:Output", "bpm:FormSchema", "zeebe:formDefinition"]

export function OtherWords({ subject }: { subject: Subject }) {
  const others = subject.extensions.filter((each) => !SHOWN.includes(each.$type))
  const attributes = Object.entries(subject.object.$attrs).filter(([name]) => name.includes(":") && !name.startsWith("xmlns"))
  if (!others.length && !attributes.length) return null
  return (
    <Part title="In other words" about={`${others.length + attributes.length} of the file`} isOpen={false}>
      {attributes.map(([name, value]) => (
        <Text key={name} label={name} value={String(value)} onText={(text) => subject.set({ [name]: text })} />
      ))}
      {others.map((each, at) => (
        <Words key={at} words={each} subject={subject} onRemove={() => subject.setExtensions(subject.extensions.filter((other) => other !== each))} />
      ))}
    </Part>
  )
}

function Words({ words, subject, onRemove }: { words: Moddle; subject: Subject; onRemove?: () => void }) {
  const attributes = Object.entries(words).filter(([name, value]) => !name.startsWith("$") && name !== "text" && typeof value === "string")
  const children = [...((words["$children"] as Moddle[] | undefined) ?? []), ...((words["parameters"] as Moddle[] | undefined) ?? [])]
  const script = words["script"] as Moddle | undefined
  const bodyName = "text" in words || words.$type.startsWith("bpm:") ? "text" : "$body"
  const body = words[bodyName] as string | undefined
  return (
    <fieldset>
      <legend class="row">
        <code>{words.$type}</code>
        {onRemove && <IconButton label={`Remove ${words.$type}`} icon="close" onClick={onRemove} />}
      </legend>
      {attributes.map(([name, value]) => (
        <Text key={name} label={`${words.$type} ${name}`} value={String(value)} onText={(text) => subject.set({ [name]: text }, words)} />
      ))}
      {body?.trim() && (
        <Field label={`Text of ${words.$type}`}>
          {(own) => <JsonArea {...own} value={body} onText={(text) => subject.set({ [bodyName]: text }, words)} />}
        </Field>
      )}
      {[...children, ...(script ? [script] : [])].map((child, at) => (
        <Words key={at} words={child} subject={subject} />
      ))}
    </fieldset>
  )
}
