// What is being written of a rule: its fields, and what they were.

import type { Message, Schemas } from "../../types"

export type Rule = Schemas["WebHookConfigView"]
type Create = Extract<Message, { $type: "CreateWebHookConfigCommand" }>

/** The fields of a rule as they are sent; `key` counts when it is created. */
export type Fields = Omit<Create, "$type">

/** What is tried: a draft as it is kept, or what stands in the form, as changes to a saved rule where there is one. */
export type Subject = { draftId: number } | { id?: number; config: Omit<Fields, "key"> }
export type Change = (fields: Partial<Record<keyof Fields, unknown>>) => void

export const KINDS = [
  { type: 0, name: "Command", about: "sends one message of the bus", own: ["commandName", "parameters"] },
  { type: 1, name: "Chain", about: "sends several, one after another", own: ["commandName", "commandChain"] },
  { type: 2, name: "Script", about: "runs Python in the sandbox", own: ["executionCode", "isolation"] },
  { type: 3, name: "Process", about: "starts an instance, or lets one go on", own: ["processDefinitionId", "parameters", "businessKey", "startPolicy", "correlation"] },
] as const

const SCRIPT = 'event = {"event": "something.happened", "data": payload}\nsend("PublishEventCommand", event)\nreturn {"seen": True}\n'

/** What is of a rule as it is shown, but not among what is sent. */
const SHOWN_ONLY = ["id", "url", "revision", "author", "appliedAt", "createdAt", "updatedAt", "warnings", "isPaused", "pausedAt", "key"]

/** What counts where nothing is said. */
const USUAL: Record<string, unknown> = { responseMode: "async" }

export function blank(): Fields {
  return { key: "", description: "", isEnabled: true, path: "", action: "POST", executionType: 0 }
}

/** Returns a saved rule as it is sent: without what nobody has set. */
export function fieldsOf(rule: Rule): Fields {
  const kept = Object.entries(rule).filter(([name, value]) => !SHOWN_ONLY.includes(name) && isSet(value) && value !== USUAL[name])
  return { ...(Object.fromEntries(kept) as unknown as Fields), key: rule.key }
}

/** Returns the fields with some changed; what is emptied is left out. */
export function changed(fields: Fields, changes: Parameters<Change>[0]): Fields {
  return Object.fromEntries(Object.entries({ ...fields, ...changes }).filter(([, value]) => value !== undefined)) as Fields
}

/** Returns the fields for another kind of work, without what belongs to the others. */
export function ofKind(fields: Fields, executionType: Fields["executionType"]): Fields {
  const own: readonly string[] = KINDS[executionType].own
  const others = KINDS.flatMap((kind) => kind.own as readonly string[]).filter((name) => !own.includes(name))
  const kept = Object.entries(fields).filter(([name]) => !others.includes(name))
  const begun = executionType === 2 ? { executionCode: SCRIPT } : executionType === 1 ? { commandChain: [{ commandName: "" }] } : {}
  return { ...begun, ...(Object.fromEntries(kept) as Fields), executionType }
}

/** Returns the configuration without its key, as it is tried. */
export function configOf({ key: _, ...config }: Fields): Omit<Fields, "key"> {
  return config
}

/** What is kept of a rule that is being written, with the revision that it began from. */
export interface Writing {
  fields: Fields
  revision: number | undefined
}

function isSet(value: unknown): boolean {
  return value !== null && value !== undefined && !(Array.isArray(value) && !value.length)
}
