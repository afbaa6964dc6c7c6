// An object that is written as JSON.

import { isObject, parse } from "../exact_json"
import { TextArea } from "./field"

type Props = Parameters<typeof TextArea>[0]

export function JsonArea(props: Props) {
  return <TextArea rows={3} spellcheck={false} {...props} />
}

/** Returns the object that a text says, nothing for an empty one, or what is wrong with it. */
export function readJson(text: string): { value?: Record<string, unknown>; problem?: string } {
  if (!text.trim()) return {}
  try {
    const value = parse(text)
    if (isObject(value)) return { value }
    return { problem: "This is JSON, but no object: it begins with { and ends with }." }
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) }
  }
}
