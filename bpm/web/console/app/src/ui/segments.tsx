// A choice of one among few, all of which are seen; arrow keys change it, as with all radio buttons.

import { useId } from "preact/hooks"

interface Props<V extends string | number> {
  label: string
  value: V
  choices: ReadonlyArray<{ value: V; label: string; about?: string }>
  onChoice: (value: V) => void
}

export function Segments<V extends string | number>({ label, value, choices, onChoice }: Props<V>) {
  const name = useId()
  return (
    <div class="segments" role="radiogroup" aria-label={label}>
      {choices.map((choice) => (
        <label key={choice.value} class={choice.value === value ? "is-chosen" : ""}>
          <input type="radio" name={name} checked={choice.value === value} onChange={() => onChoice(choice.value)} />
          <span>{choice.label}</span>
          {choice.about && <span class="help">{choice.about}</span>}
        </label>
      ))}
    </div>
  )
}
