// Uses the client as an application would, against the server at BPM_URL with the key BPM_TOKEN.

import { ApiError, BpmClient, ForbiddenError, InvalidError, NotFoundError, UnauthenticatedError } from "../src/index.js"

declare const process: { env: Record<string, string> }

const url = process.env["BPM_URL"] ?? ""
const token = process.env["BPM_TOKEN"] ?? ""
const bpm = new BpmClient(url, { token })

function equal(given: unknown, expected: unknown): void {
  const [one, other] = [JSON.stringify(given), JSON.stringify(expected)]
  if (one !== other) throw new Error(`${one} is not ${other}`)
}

async function refusal(work: Promise<unknown>): Promise<ApiError> {
  try {
    await work
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
  throw new Error("it was taken")
}

async function sendsAndReadsTypedAnswers(): Promise<void> {
  const event = await bpm.send({ $type: "PublishEventCommand", event: "typescript.sent", data: { n: 1 } })
  const found = await bpm.send({ $type: "GetEventListQuery", event: "typescript.sent" })
  const id: string | number = event.id
  equal(found.items.map((row) => row.id), [id])
}

async function raisesTypedErrors(): Promise<void> {
  const invalid = await refusal(bpm.send({ $type: "PublishEventCommand", event: "", data: {} }))
  equal([invalid instanceof InvalidError, invalid.status, invalid.errors[0]?.startsWith("event: ")], [true, 422, true])
  equal(invalid.requestId === "", false)
  const forbidden = await refusal(bpm.send({ $type: "CreateUserCommand", username: "eve" }))
  equal(forbidden instanceof ForbiddenError, true)
  const missing = await refusal(bpm.send({ $type: "GetOrganizationByIdQuery", id: 9 }))
  equal(missing instanceof NotFoundError, true)
  const stranger = new BpmClient(url, { token: "bpm_no_key" })
  const unknown = await refusal(stranger.send({ $type: "GetOwnAccountQuery" }))
  equal([unknown instanceof UnauthenticatedError, unknown.message], [true, "Authentication is required."])
}

async function walksOverPages(): Promise<void> {
  for (let n = 0; n < 5; n++) await bpm.send({ $type: "PublishEventCommand", event: "typescript.paged", data: { n } })
  const seen: unknown[] = []
  const query = { $type: "GetEventListQuery", event: "typescript.paged", pageSize: 2, sortDirection: "asc" } as const
  for await (const row of bpm.items(query)) seen.push(row.data)
  equal(seen, [0, 1, 2, 3, 4].map((n) => ({ n })))
}

async function hasItsEffectOnce(): Promise<void> {
  const waits: number[] = []
  let lost = 0
  const losing: typeof fetch = async (...request) => {
    const answer = await fetch(...request)
    if (lost++ === 0) throw new TypeError("the connection was lost")
    return answer
  }
  const sleep = async (seconds: number): Promise<void> => void waits.push(seconds)
  const patient = new BpmClient(url, { token, fetch: losing, sleep })
  const event = await patient.send({ $type: "PublishEventCommand", event: "typescript.retried", data: {} })
  const found = await bpm.send({ $type: "GetEventListQuery", event: "typescript.retried" })
  equal([waits, found.items.map((row) => row.id)], [[0.25], [event.id]])
  const keyed = { $type: "PublishEventCommand", event: "typescript.keyed", data: {} } as const
  const first = await bpm.send(keyed, { idempotencyKey: "typescript-1" })
  const again = await bpm.send(keyed, { idempotencyKey: "typescript-1" })
  equal(first.id, again.id)
}

async function signsIn(): Promise<void> {
  const username = process.env["BPM_USERNAME"] ?? ""
  const person = new BpmClient(url, { username, password: process.env["BPM_PASSWORD"] ?? "" })
  equal((await person.send({ $type: "GetOwnAccountQuery" })).name, username)
}

async function takesNoStrangeAnswer(): Promise<void> {
  const endless = JSON.stringify({ data: { items: [], leftOut: 1, hasNextPage: false } })
  for (const [status, body] of [
    [200, "[]"],
    [200, '"data"'],
    [200, "{}"],
    [200, "<html>"],
    [200, endless],
    [422, '{"message": 5, "errors": {"a": 1}}'],
    [429, '{"message": null, "errors": [1, null]}'],
    [307, '{"data": {}}'],
  ] as const) {
    const seen: string[] = []
    const strange: typeof fetch = async (_, init) => {
      seen.push(String(init?.redirect))
      return new Response(body, { status, headers: { "retry-after": "x" } })
    }
    for (const who of [{ token: "bpm_x" }, { username: "ada", password: "secret" }]) {
      const hostile = new BpmClient("http://bpm", { ...who, fetch: strange, sleep: async () => {} })
      await refusal(hostile.items({ $type: "GetEventListQuery" }).next())
    }
    equal(new Set(seen).size, 1)
    equal(seen[0], "manual")
  }
}

/** Never called: the compiler finds each of these mistakes, and would say if one were none. */
export async function isTyped(): Promise<void> {
  // @ts-expect-error there is no such message
  await bpm.send({ $type: "NoSuchQuery" })
  // @ts-expect-error there is no such field
  await bpm.send({ $type: "GetUserListQuery", pagesize: 3 })
  // @ts-expect-error there is no such field in the answer
  console.log((await bpm.send({ $type: "GetOwnAccountQuery" })).nmae)
  // @ts-expect-error it is no list
  bpm.items({ $type: "GetOwnAccountQuery" })
}

for (const check of [
  sendsAndReadsTypedAnswers,
  raisesTypedErrors,
  walksOverPages,
  hasItsEffectOnce,
  signsIn,
  takesNoStrangeAnswer,
]) {
  await check()
  console.log(check.name)
}
