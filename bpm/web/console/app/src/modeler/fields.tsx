// Fields of the panel: each reads one thing of an element, and writes it back.

import type { ComponentChildren } from "preact"
import { useEffect, useId, useState } from "preact/hooks"
import { Field, Input, TextArea } from "../ui/field"

interface TextProps {
  label: string
  value: string
  help?: ComponentChildren
  problem?: string | undefined
  isRequired?: boolean
  isProse?: boolean
  placeholder?: string
  suggestions?: readonly string[]
  onText: (text: string) => void
}

/** A text that is written at every letter. */
export function Text({ label, value, help, problem, isRequired = false, isProse = false, placeholder, suggestions, onText }: TextProps) {
  const list = useId()
  return (
    <Field label={label} help={help} problem={problem} isRequired={isRequired}>
      {(own) =>
        suggestions ? (
          <>
            <Input {...own} list={list} spellcheck={false} placeholder={placeholder} value={value} onText={onText} />
            <Suggestions id={list} names={suggestions} />
          </>
        ) : (
          <TextArea {...own} rows={1} class={isProse ? "control prose" : "control one-line"} spellcheck={isProse} placeholder={placeholder} value={value} onText={onText} />
        )
      }
    </Field>
  )
}

interface LateProps extends Omit<TextProps, "onText" | "problem" | "isProse"> {
  /** Writes it, or returns what is wrong with it. */
  onText: (text: string) => string | undefined | void
}

/** A text that is written when its field is left or Enter is pressed: half of it would mean something else. */
export function LateText({ label, value, help, isRequired = false, placeholder, suggestions, onText }: LateProps) {
  const [text, setText] = useState(value)
  const [problem, setProblem] = useState<string>()
  const list = useId()
  useEffect(() => {
    setText(value)
    setProblem(undefined)
  }, [value])
  return (
    <Field label={label} help={help} problem={problem} isRequired={isRequired}>
      {(own) => (
        <>
          <Input
            {...own}
            list={suggestions ? list : undefined}
            spellcheck={false}
            placeholder={placeholder}
            value={text}
            onText={setText}
            onChange={(event) => setProblem(onText(event.currentTarget.value.trim()) ?? undefined)}
          />
          {suggestions && <Suggestions id={list} names={suggestions} />}
        </>
      )}
    </Field>
  )
}

function Suggestions({ id, names }: { id: string; names: readonly string[] }) {
  return (
    <datalist id={id}>
      {[...new Set(names)].map((name) => (
        <option key={name} value={name} />
      ))}
    </datalist>
  )
}

export function Check({ label, checked, onCheck }: { label: string; checked: boolean; onCheck: (checked: boolean) => void }) {
  return (
    <label class="checkbox">
      <input type="checkbox" checked={checked} onChange={(event) => onCheck(event.currentTarget.checked)} />
      {label}
    </label>
  )
}

/** A part of the panel that can be closed. */
export function Part({ title, about, isOpen = true, children }: { title: string; about?: string; isOpen?: boolean; children: ComponentChildren }) {
  return (
    <details class="section" open={isOpen}>
      <summary>
        {title}
        {about && <span class="help">{about}</span>}
      </summary>
      <div class="stack">{children}</div>
    </details>
  )
}
