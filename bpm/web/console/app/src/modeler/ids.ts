// Ids of elements in a file.

const ID = /^[A-Za-z_][\w.-]*$/

/** Returns what is wrong with an id; XML has its own rules for them. */
export function problemOfId(id: string, isTaken: (id: string) => boolean): string | undefined {
  if (!ID.test(id)) return "begins with a letter, and has letters, digits, dots, underscores and dashes only"
  return isTaken(id) ? "is another element's" : undefined
}

/** Returns the id that a name suggests: `Refund a card` is `refund-a-card`; of a name without letters there is none. */
export function idOf(name: string): string {
  const words = name.normalize("NFKD").toLowerCase().match(/[a-z0-9]+/g) ?? []
  return words.join("-").replace(/^[^a-z]+/, "")
}
