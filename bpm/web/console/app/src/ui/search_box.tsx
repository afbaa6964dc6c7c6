// A field that searches when Enter is pressed or it is left, so that no letter costs a question.
// What is typed stays while the list below is told anew; until it is searched for, it says how.

import { useLayoutEffect, useState } from "preact/hooks"
import { Input } from "./field"

interface Props {
  label: string
  /** What stands in it while it is empty. */
  hint?: string
  value: string
  isShort?: boolean
  onSearch: (text: string) => void
}

export function SearchBox({ label, hint = label, value, isShort = false, onSearch }: Props) {
  const [text, setText] = useState(value)
  useLayoutEffect(() => setText(value), [value]) // before the next letter
  return (
    <span class={isShort ? "search" : "search wide"}>
      <Input
        type="search"
        aria-label={label}
        placeholder={hint}
        spellcheck={false}
        value={text}
        onText={(typed) => {
          setText(typed)
          if (!typed) onSearch("")
        }}
        onKeyDown={(event) => event.key === "Enter" && onSearch(text.trim())}
        onChange={() => onSearch(text.trim())}
      />
      {text.trim() !== value && text.trim() && <kbd aria-hidden="true">Enter</kbd>}
    </span>
  )
}
