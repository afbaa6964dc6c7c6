// The client: one address, typed messages, errors, pages and retries.

import { AnswerError, ApiError, errorOf } from "./errors.js"
import type { Answer, ListName, Name, Named, Page, Row } from "./types.js"

/** Statuses after which the same message is sent again; 0 is no answer. */
const AGAIN = new Set([0, 429, 502, 503, 504])
const FIRST_WAIT_SECONDS = 0.25
const LONGEST_WAIT_SECONDS = 30

export interface ClientOptions {
  /** An API key, or an access token. */
  token?: string
  /** Whom to sign in, instead of a token. */
  username?: string
  password?: string
  /** The organisation to act for. */
  organization?: number
  /** How often a message is sent at most, 4 unless it is said. */
  tries?: number
  fetch?: typeof fetch
  sleep?: (seconds: number) => Promise<void>
}

export interface SendOptions {
  /** The same key has its effect once; a command without one gets a new one. */
  idempotencyKey?: string
  signal?: AbortSignal
}

export class BpmClient {
  readonly #url: string
  readonly #options: ClientOptions
  #token: string | undefined

  constructor(url: string, options: ClientOptions = {}) {
    this.#url = url.replace(/\/+$/, "")
    this.#options = options
    this.#token = options.token
  }

  /** Sends a command or query and returns what it is answered with; throws `ApiError`. */
  async send<T extends Name>(message: Named<T>, options: SendOptions = {}): Promise<Answer<T>> {
    const { organization } = this.#options
    const headers: Record<string, string> = organization ? { "x-organization-id": String(organization) } : {}
    if (!message.$type.endsWith("Query")) headers["idempotency-key"] = options.idempotencyKey ?? crypto.randomUUID()
    const envelope = await this.#post(message, headers, options.signal)
    if (!("data" in envelope)) throw new AnswerError(`The answer to ${message.$type} has no data`)
    return envelope["data"] as Answer<T>
  }

  /** Sends a list query for one page after the other, and yields the rows of all; throws `ApiError`. */
  async *items<T extends ListName>(query: Named<T>, options: SendOptions = {}): AsyncGenerator<Row<T>, void> {
    let { pageNumber = 1, skip = 0 } = query as { pageNumber?: number; skip?: number }
    for (;;) {
      const asked = { ...query, pageNumber, ...(skip ? { skip } : {}) }
      const page = (await this.send<T>(asked, options)) as unknown as Page<Row<T>>
      yield* page.items
      if (page.leftOut && page.items.length === 0) throw new AnswerError("A page leaves rows out and has none")
      if (page.leftOut) skip += page.items.length
      else if (page.hasNextPage) [pageNumber, skip] = [pageNumber + 1, 0]
      else return
    }
  }

  async #post(body: unknown, headers: Record<string, string>, signal?: AbortSignal): Promise<Envelope> {
    const { tries = 4, username, sleep = wait } = this.#options
    let pause = FIRST_WAIT_SECONDS
    let signedInAgain = false
    for (let left = tries - 1; ; left--) {
      try {
        return await this.#postAsSomebody(body, headers, signal)
      } catch (error) {
        if (!(error instanceof ApiError) || left <= 0) throw error
        if (error.status === 401 && username && !signedInAgain) {
          signedInAgain = true
          this.#token = undefined
          continue
        }
        if (!AGAIN.has(error.status)) throw error
        await sleep(Math.min(LONGEST_WAIT_SECONDS, Math.max(error.retryAfter, pause)))
        pause *= 2
      }
    }
  }

  async #postAsSomebody(body: unknown, headers: Record<string, string>, signal?: AbortSignal): Promise<Envelope> {
    const { username, password } = this.#options
    if (!this.#token && username) {
      const pair = await this.#exchange("/api/auth/token", { username, password }, {}, signal)
      if (typeof pair["access_token"] !== "string") throw new AnswerError("The answer has no access_token")
      this.#token = pair["access_token"]
    }
    const identity: Record<string, string> = this.#token ? { authorization: `Bearer ${this.#token}` } : {}
    return this.#exchange("/api/bpm/cmd", body, { ...identity, ...headers }, signal)
  }

  async #exchange(
    path: string,
    body: unknown,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Envelope> {
    const response = await this.#reach(path, body, headers, signal)
    const parsed: unknown = await response.json().catch(() => null)
    const envelope = typeof parsed === "object" && !Array.isArray(parsed) ? (parsed as Envelope | null) : null
    if (response.ok && envelope) return envelope
    const errors: unknown = envelope?.["errors"]
    throw errorOf({
      status: response.status,
      message: String(envelope?.["message"] ?? `The server answered ${response.status}`),
      errors: Array.isArray(errors) ? errors.map(String) : [],
      requestId: response.headers.get("x-request-id") ?? "",
      retryAfter: Number(response.headers.get("retry-after")) || 0,
    })
  }

  async #reach(
    path: string,
    body: unknown,
    headers: Record<string, string>,
    signal?: AbortSignal,
  ): Promise<Response> {
    const send = this.#options.fetch ?? fetch
    try {
      return await send(this.#url + path, {
        method: "POST",
        headers: { "content-type": "application/json", ...headers },
        body: JSON.stringify(body),
        redirect: "manual", // what is sent, a password included, goes to no other address
        ...(signal ? { signal } : {}),
      })
    } catch (error) {
      if (signal?.aborted) throw error
      const message = `No answer from ${this.#url}: ${error}`
      throw errorOf({ status: 0, message, errors: [], requestId: "", retryAfter: 0 })
    }
  }
}

type Envelope = Record<string, unknown>

const wait = (seconds: number): Promise<void> => new Promise((done) => setTimeout(done, seconds * 1000))
