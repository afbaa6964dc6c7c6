// Ids of elements in a file.

const ID = /^[A-Za-z_][\w.-]*$/

/** Returns what is wrong with an id; XML has its own rules for them. */
export function problemOfId(id: string, isTaken: (id: string) => boolean): string | undefined {
  if (!ID.test(id)) return "begins with a letter, and has letters, digits, dots, underscores and dashes only"
  return isTaken(id) ? "is another element's" : undefined
}
