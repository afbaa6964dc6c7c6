// A typed client of BPM Bus.

export { BpmClient, type ClientOptions, type SendOptions } from "./client.js"
export * from "./errors.js"
export type { Answer, ListName, Message, Messages, Name, Row, Schemas } from "./types.js"
