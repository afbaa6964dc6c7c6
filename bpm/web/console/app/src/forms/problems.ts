// The server's sentences, put to the fields that they are about.

import type { Refused } from "../bus"

const SENTENCE = /^([\w.[\]]+)(?: \(.*?\))?: (.*)$/s

/** Returns sentences by the field they begin with, as in `name: must not be empty`, `steps[0].name: …` or `amount (Amount): …`. */
export function problemsBy(sentences: readonly string[], prefix = ""): Record<string, string> {
  const found: Record<string, string> = {}
  for (const sentence of sentences) {
    const [, place = "", words = ""] = SENTENCE.exec(sentence) ?? []
    const name = place.replaceAll("[", ".").replaceAll("]", "")
    if (name.startsWith(prefix) && words) found[name.slice(prefix.length)] ??= words
  }
  return found
}

export function problemsOf(refused: Refused | undefined): Record<string, string> {
  return problemsBy(refused?.errors ?? [])
}

/** Returns the sentences that no field shows. */
export function others(sentences: readonly string[], shown: (place: string) => boolean): string[] {
  return sentences.filter((sentence) => !Object.keys(problemsBy([sentence])).some(shown))
}
