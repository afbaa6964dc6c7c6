// Answers that come by themselves: what a screen watches is asked in one stream, which tells what has changed.

import { Refused } from "./bus"
import { lookForServer } from "./connection"
import { parse, stringify } from "./exact_json"
import { signedInAgain } from "./session"
import type { Message } from "./types"

type Tell = (answer: unknown, refused: Refused | undefined) => void

interface Told {
  at: number
  answer: { success: boolean; data: unknown; message: string; errors?: string[] }
}

export interface Watch {
  message: Message
  tell: Tell
  /** The mark of its last answer, by which the server knows what is news. */
  mark: string
  /** Whether the stream tells it at the moment; while it does not, the screen asks by itself. */
  isTold: boolean
}

const MAX_WATCHED = 8
const AGAIN_AFTER = 3_000

const watches = new Set<Watch>()
let stream: AbortController | undefined
let timer: ReturnType<typeof setTimeout> | undefined

/** Tells the answer to a query whenever it changes; the function it returns, in `end`, ends that. */
export function watch(message: Message, tell: Tell): { watched: Watch; end: () => void } {
  const watched = { message, tell, mark: "", isTold: false }
  watches.add(watched)
  plan(0)
  const end = () => {
    watches.delete(watched)
    plan(0)
  }
  return { watched, end }
}

document.addEventListener("visibilitychange", () => plan(0))

function plan(after: number): void {
  clearTimeout(timer)
  timer = setTimeout(() => void listen(), after)
}

async function listen(): Promise<void> {
  stream?.abort()
  watches.forEach((each) => (each.isTold = false))
  const listed = [...watches].slice(0, MAX_WATCHED)
  if (!listed.length || document.hidden) return
  const own = (stream = new AbortController())
  let isOver = false
  try {
    const answer = await fetch("api/feed", {
      method: "POST",
      headers: { "content-type": "application/json", "last-event-id": listed.map((each) => each.mark).join(".") },
      body: stringify({ queries: listed.map((each) => each.message) }),
      signal: own.signal,
    })
    if (answer.status === 401) await signedInAgain()
    else if (answer.ok && answer.body) isOver = await take(answer.body, listed)
  } catch {
    if (own === stream) void lookForServer() // the screens ask by themselves until the stream is there again
  }
  if (own === stream) {
    listed.forEach((each) => (each.isTold = false))
    plan(isOver ? 0 : AGAIN_AFTER)
  }
}

/** Hears a stream to its end, and returns whether the server ended it because one may not listen any more. */
async function take(body: ReadableStream<Uint8Array>, listed: Watch[]): Promise<boolean> {
  listed.forEach((each) => (each.isTold = true))
  const reader = body.getReader()
  const decoder = new TextDecoder()
  let rest = ""
  let isOver = false
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return isOver
    const events = (rest + decoder.decode(value, { stream: true })).split("\n\n")
    rest = events.pop() ?? ""
    for (const event of events) isOver = hear(event, listed) === "end" || isOver
  }
}

function hear(event: string, listed: Watch[]): string | undefined {
  const fields = new Map(event.split("\n").map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 2)] as const))
  if (fields.get("event") !== "answer") return fields.get("event")
  fields.get("id")?.split(".").forEach((mark, at) => listed[at] && (listed[at].mark = mark))
  const { at, answer } = parse(fields.get("data") ?? "{}") as Told
  listed[at]?.tell(answer.data, answer.success ? undefined : new Refused(0, answer.message, answer.errors ?? [], ""))
  return "answer"
}
