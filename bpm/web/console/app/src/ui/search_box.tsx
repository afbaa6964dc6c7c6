// A field that searches when Enter is pressed or it is left, so that no letter costs a question.

import { useLayoutEffect, useState } from "preact/hooks"
import { Input } from "./field"

export function SearchBox({ label, value, onSearch }: { label: string; value: string; onSearch: (text: string) => void }) {
  const [text, setText] = useState(value)
  useLayoutEffect(() => setText(value), [value]) // before the next letter
  return (
    <Input
      class="control wide"
      type="search"
      aria-label={label}
      placeholder={label}
      spellcheck={false}
      value={text}
      onText={setText}
      onKeyDown={(event) => event.key === "Enter" && onSearch(text.trim())}
      onChange={() => onSearch(text.trim())}
    />
  )
}
