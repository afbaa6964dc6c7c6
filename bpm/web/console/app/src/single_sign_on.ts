// Single sign-on: the browser goes to the provider and comes back to this page; the tab keeps where it was.

import { signal } from "@preact/signals"
import { post } from "./bus"

export interface WaysToSignIn {
  singleSignOn: string | null
  passwordsAreForOne: boolean
}

/** How one signs in here; asked for when somebody has to. */
export const ways = signal<WaysToSignIn>({ singleSignOn: null, passwordsAreForOne: false })

export async function askForWays(): Promise<void> {
  ways.value = (await post("api/oidc", null, "GET")).data as WaysToSignIn
}

const PLACE = "place-before-sign-on"
const BESIDE = "#/sign-in"
const signedIn = new BroadcastChannel("bpm-signed-in")

const kept = sessionStorage.getItem(PLACE)
const isBeside = kept === BESIDE || location.hash === BESIDE

const PROBLEMS: Record<string, string> = {
  refused: "The provider did not sign you in. Try again, or ask whoever looks after it.",
  stale: "This sign-in was not begun in this browser, took too long, or was used already. Begin again.",
  unproven: "What the provider said could not be verified. The server's log has the reason.",
  unavailable: "The provider can't be reached just now. Try again in a moment.",
  busy: "Too many people sign in just now. Try again in a moment.",
  unknown: "The provider knows you, but you have no account here. Ask an administrator to connect it.",
  name: "There is another account of your name here, or your name can't be one. Ask an administrator.",
  "no-role": "None of your groups has a role here. Ask whoever looks after the groups of your company.",
  groups: "You are in too many groups for the provider to name them. Ask an administrator to have it send only those that count here.",
  disabled: "Your account here is switched off. Ask an administrator.",
  full: "Your organisation has as many users as it may have. Ask an administrator.",
}

/** Returns why the last sign-in failed, once: a reload no longer says so. */
function takeProblem(): string {
  const named = new URLSearchParams(location.search).get("problem")
  if (named === null) return ""
  history.replaceState(null, "", location.pathname + location.hash)
  return PROBLEMS[named] ?? "You were not signed in."
}

export const problem = takeProblem()

/** Leaves this page for the provider; throws `Refused`. */
export async function leaveForProvider(): Promise<void> {
  const { data } = await post("api/oidc", {})
  sessionStorage.setItem(PLACE, isBeside ? BESIDE : location.hash || (kept ?? "")) // kept over a sign-in that failed
  location.assign((data as { url: string }).url)
}

/** Opens a window to sign in with while this page stays as it is; tells whether the browser let it. */
export function signInBeside(): boolean {
  return open(BESIDE, "_blank", "popup,width=520,height=720") !== null
}

/** Tells whether this is such a window, just opened. */
export function isToLeave(): boolean {
  return location.hash === BESIDE && problem === ""
}

/** Goes back to where the tab was; tells true in a window that has done its work, which closes. */
export function comeBack(): boolean {
  sessionStorage.removeItem(PLACE)
  if (isBeside) {
    signedIn.postMessage(null)
    close()
  } else if (kept && !location.hash) {
    location.hash = kept
  }
  return isBeside
}

/** Calls back whenever somebody has signed in in a window beside this one. */
export function onSignedInBeside(goOn: () => void): void {
  signedIn.onmessage = goOn
}
