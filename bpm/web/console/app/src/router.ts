// Where the console is: `#/requests/01a2?tab=body` is a path and filters, so that every view has an address.

import { computed, signal } from "@preact/signals"

export interface Place {
  path: string[]
  filters: Record<string, string>
}

const hash = signal(location.hash)
addEventListener("hashchange", () => (hash.value = location.hash))

export const place = computed<Place>(() => parse(hash.value))

function parse(text: string): Place {
  const [path = "", query = ""] = text.replace(/^#\/?/, "").split("?")
  return {
    path: path.split("/").filter(Boolean).map(decoded),
    filters: Object.fromEntries(new URLSearchParams(query)),
  }
}

/** Returns a part of a path as it was meant; one that is cut off in the middle of a letter stays as it is. */
function decoded(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

/** Returns the address of a place; filters that are empty are left out. */
export function to(path: string, filters: Record<string, string | undefined> = {}): string {
  const kept = Object.entries(filters).filter((pair): pair is [string, string] => Boolean(pair[1]))
  const query = new URLSearchParams(kept).toString()
  return `#/${path}${query ? `?${query}` : ""}`
}

export function go(address: string): void {
  location.hash = address
}

/** Changes filters of the present place without a step in the history. */
export function refine(filters: Record<string, string | undefined>): void {
  const { path, filters: present } = place.value
  history.replaceState(null, "", to(path.map(encodeURIComponent).join("/"), { ...present, ...filters }))
  hash.value = location.hash
}
