// A sentence in which names stand between backticks.

/** Shows names between backticks as code. */
export function inline(text: string) {
  return text.split(/`([^`]+)`/).map((part, index) => (index % 2 ? <code key={index}>{part}</code> : part))
}
