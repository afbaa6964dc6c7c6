// Sends messages to the bus: everything that the console does and shows goes through `send`.

import { hearTime } from "./clock"
import { hearAnswer, hearLoss } from "./connection"
import { parse, stringify } from "./exact_json"
import { signedInAgain } from "./session"
import type { Answer, Message } from "./types"

export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly errors: string[],
    readonly requestId: string,
  ) {
    super(message)
  }

  /** Returns what was thrown as a refusal, whatever it was. */
  static of(error: unknown): Refused {
    return error instanceof Refused ? error : new Refused(0, "This did not work", [String(error)], "")
  }
}

/** Returns the answer to a message; throws `Refused`. An ended session is taken up again first, over the page. */
export async function send<M extends Message>(message: M): Promise<Answer<M>> {
  return (await sendAny(message)).data as Answer<M>
}

export interface Envelope {
  data: unknown
  message: string
}

/** The same for a message that is put together by hand. */
export async function sendAny(message: { $type: string }): Promise<Envelope> {
  for (;;) {
    try {
      return await post("api/cmd", message)
    } catch (error) {
      if (!(error instanceof Refused) || error.status !== 401) throw error
      await signedInAgain()
    }
  }
}

/** Sends JSON to an address of the console and returns the envelope; throws `Refused`. */
export async function post(path: string, body: unknown, method = "POST"): Promise<Envelope> {
  const response = await reach(path, body, method)
  hearTime(response.headers.get("date"))
  const requestId = response.headers.get("x-request-id") ?? ""
  const envelope = await envelopeOf(response)
  if (response.ok) return envelope
  throw new Refused(response.status, envelope.message, envelope.errors ?? [], requestId)
}

async function envelopeOf(response: Response): Promise<Envelope & { errors?: string[] }> {
  try {
    return parse(await response.text()) as Envelope
  } catch {
    return { data: null, message: response.statusText }
  }
}

const OF_PROXIES = [502, 504]
/** What a proxy answers while the server behind it is not there. */

async function reach(path: string, body: unknown, method: string): Promise<Response> {
  const headers = { "content-type": "application/json" }
  const response = await fetch(path, { method, headers, ...(method === "POST" && { body: stringify(body) }) }).catch(() => undefined)
  if (response && !OF_PROXIES.includes(response.status)) {
    hearAnswer()
    return response
  }
  hearLoss()
  throw new Refused(0, "The server can't be reached", ["Is it running? What you see is asked again as soon as it answers; what you sent may have arrived."], "")
}
