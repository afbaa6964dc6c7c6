// Who is signed in, and what happens when a session ends while somebody works.

import { signal } from "@preact/signals"
import { post, Refused, send } from "./bus"
import { askForWays, comeBack, isToLeave, leaveForProvider, onSignedInBeside } from "./single_sign_on"
import type { Schemas } from "./types"
import { toast } from "./ui/toast"

export type Account = Schemas["OwnAccountView"]

/** `undefined` until it is known, `null` when nobody is signed in. */
export const account = signal<Account | null | undefined>(undefined)

/** True while a dialog over the page asks to sign in again. */
export const isExpired = signal(false)

let waiting: Array<() => void> = []

/** True in a window that was opened to sign in beside another page, and has. */
export const isDone = signal(false)

/** Finds out at the start who is signed in. */
export async function begin(): Promise<void> {
  if (isToLeave()) return leaveForProvider()
  onSignedInBeside(() => (isExpired.value || account.value === null) && void goOn())
  try {
    const envelope = await post("api/cmd", { $type: "GetOwnAccountQuery" })
    isDone.value = comeBack()
    account.value = envelope.data as Account
  } catch (error) {
    if (!(error instanceof Refused) || (error.status !== 401 && error.status !== 403)) throw error
    await askForWays()
    account.value = null
  }
}

/** Signs in, on the sign-in page or in the dialog over it; throws `Refused`. */
export async function signIn(username: string, password: string): Promise<void> {
  await post("api/session", { username, password })
  await goOn()
}

/** Takes the page up where it was, or from its start for somebody else. */
async function goOn(): Promise<void> {
  const before = account.value
  isExpired.value = false
  const now = await send({ $type: "GetOwnAccountQuery" })
  if (before && before.id !== now.id) location.reload()
  account.value = now
  waiting.splice(0).forEach((send) => send())
}

/** Signs this browser out, forgets what was being written, and shows the sign-in page. */
export async function signOut(): Promise<void> {
  try {
    await post("api/session", null, "DELETE")
  } catch (error) {
    if (Refused.of(error).status !== 401) return toast(`You are still signed in: ${Refused.of(error).message.toLowerCase()}.`, true)
  }
  sessionStorage.clear()
  location.reload()
}

/** Resolves once somebody has signed in over the page; everything on it stays as it is. */
export function signedInAgain(): Promise<void> {
  if (!isExpired.value) void askForWays().catch(() => undefined) // without an answer the password remains
  isExpired.value = true
  return new Promise((send) => waiting.push(send))
}

const INSTALLATION = 1
/** Areas that concern all organisations: only accounts of the installation itself may do anything in them. */
const INSTALLATION_AREAS = ["acting", "organizations", "system"]

/** Tells whether the account may send a message that needs this permission, or none; what may not be done is not offered. */
export function may(permission: string | null | undefined): boolean {
  if (!permission) return true
  const held = account.value?.permissions ?? []
  const isNear = account.value?.organizationId === INSTALLATION || !INSTALLATION_AREAS.includes(permission.split(":")[0] ?? "")
  if (!isNear) return false
  return held.includes(permission) || held.includes(`*:${permission.split(":")[1]}`)
}
