// The messages of the bus and their answers, from our own OpenAPI document: a changed view breaks the build here.

import type { components } from "../generated/api"

export type Schemas = components["schemas"]
export type Message = Schemas["BusMessage"]
export type Answer<M extends Message> = `${M["$type"]}Answer` extends keyof Schemas
  ? Schemas[`${M["$type"]}Answer`] extends { data: infer D }
    ? D
    : never
  : never
