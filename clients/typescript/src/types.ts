// The messages of the bus and their answers, by their `$type`.

import type { components } from "./schema.js"

export type Schemas = components["schemas"]

/** Any command or query. */
export type Message = Schemas["BusMessage"]

/** Every message by its `$type`, aliases included. */
export type Messages = { [M in Message as M["$type"]]: M }

export type Name = keyof Messages

/** A message of this name, without fields that it has not. */
export type Named<T extends Name> = Messages[T] & { $type: T }

/** What the message of this name is answered with. */
export type Answer<T extends Name> =
  Schemas[Extract<`${Messages[T]["$type"]}Answer`, keyof Schemas>] extends { data: infer D } ? D : never

export interface Page<R> {
  items: R[]
  leftOut?: number
  hasNextPage: boolean
}

/** A query that answers one page of a list. */
export type ListName = { [T in Name]: Answer<T> extends Page<unknown> ? T : never }[Name]

/** One row of a list. */
export type Row<T extends ListName> = Answer<T> extends { items: (infer R)[] } ? R : never
