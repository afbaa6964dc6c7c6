// Parameters of a command or a message: children with templates, or a JSON object in the element's text.

import { isObject, parse, stringify } from "../exact_json"
import type { Moddle, Subject } from "./subject"

type Parameters = Record<string, unknown>

export function parametersOf(holder: Moddle): Parameters {
  const children = ((holder["parameters"] as Moddle[] | undefined) ?? []).map((each) => [each.name ?? "", each.text ?? ""] as const)
  return { ...objectOf(holder.text ?? ""), ...Object.fromEntries(children) }
}

/** Makes an extension element with parameters: as children while all are texts. */
export function withParameters(subject: Subject, type: string, about: object, parameters: Parameters): Moddle {
  const entries = Object.entries(parameters)
  if (entries.some(([, value]) => typeof value !== "string")) return subject.create(type, { ...about, text: stringify(parameters, 2) })
  const made = subject.create(type, { ...about })
  const children = entries.map(([name, text]) => subject.create("bpm:Parameter", { name, text }, made))
  if (children.length) made["parameters"] = children
  return made
}

function objectOf(text: string): Parameters {
  try {
    const value = parse(text)
    return isObject(value) ? value : {}
  } catch {
    return {}
  }
}
