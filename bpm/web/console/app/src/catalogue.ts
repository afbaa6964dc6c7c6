// What can be sent: every message with its schemas, asked for once, when it is first needed.

import { signal } from "@preact/signals"
import { send } from "./bus"
import type { Schemas } from "./types"

export type Entry = Schemas["CatalogueEntryView"]

export const catalogue = signal<Entry[] | undefined>(undefined)

let asked: Promise<void> | undefined

export function needCatalogue(): void {
  asked ??= send({ $type: "GetCommandCatalogQuery" }).then(
    (answer) => void (catalogue.value = answer.items),
    () => void (asked = undefined),
  )
}

/** Returns a name with room between its words, and without what all names end in. */
export function words(type: string): string {
  const plain = type.replace(/(Command|Query)$/, "").replace(/([a-z])([A-Z])/g, "$1 $2")
  return plain.replace(/ ([A-Z])(?=[a-z])/g, (_, letter: string) => ` ${letter.toLowerCase()}`)
}

export function isCommand(entry: Entry): boolean {
  return entry.kind !== "query"
}
