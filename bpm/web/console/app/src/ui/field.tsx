// Fields of forms: a label above, help and problems below, and the control between.

import type { ComponentChildren, JSX } from "preact"
import { useId } from "preact/hooks"
import { inline } from "./inline"

interface FieldProps {
  label: string
  help?: ComponentChildren
  problem?: string | undefined
  isRequired?: boolean
  children: (attributes: { id: string; "aria-describedby": string; "aria-invalid": boolean }) => ComponentChildren
}

export function Field({ label, help, problem, isRequired = false, children }: FieldProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>
        {label}
        {isRequired && <span class="required"> required</span>}
      </label>
      {children({ id, "aria-describedby": `${id}-help`, "aria-invalid": Boolean(problem) })}
      <div id={`${id}-help`} class={problem ? "problem" : "help"}>
        {problem ?? (typeof help === "string" ? inline(help) : help)}
      </div>
    </div>
  )
}

type InputProps = JSX.IntrinsicElements["input"] & { onText?: (text: string) => void }

export function Input({ onText, ...rest }: InputProps) {
  return <input class="control" onInput={(event) => onText?.(event.currentTarget.value)} {...rest} />
}

export type Choice = string | { value: string; label: string }

type SelectProps = JSX.IntrinsicElements["select"] & {
  value: string
  choices: readonly Choice[]
  onChoice: (value: string) => void
}

export function Select({ value, choices, onChoice, ...rest }: SelectProps) {
  return (
    <span class="select">
      <select class="control" value={value} onChange={(event) => onChoice(event.currentTarget.value)} {...rest}>
        {choices.map((choice) => {
          const { value: each, label } = typeof choice === "string" ? { value: choice, label: choice } : choice
          return (
            <option key={each} value={each}>
              {label}
            </option>
          )
        })}
      </select>
    </span>
  )
}

type TextAreaProps = JSX.IntrinsicElements["textarea"] & { value: string; onText: (text: string) => void }

export function TextArea({ onText, rows = 4, ...rest }: TextAreaProps) {
  return (
    <textarea class="control" rows={rows} onInput={(event) => onText(event.currentTarget.value)} {...rest}></textarea>
  )
}
