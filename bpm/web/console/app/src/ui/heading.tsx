// What a page is headed by: its title, or the state that stands where a page would be.

import { createContext, type ComponentChildren } from "preact"
import { useContext, useEffect } from "preact/hooks"
import { windowName } from "../installation"

/** Whether a title stands above, so that a state is a part of the page rather than the whole of it. */
export const IsHeaded = createContext(false)

/** Says as a heading of the right level what a place has instead of what belongs there; a whole page is called by it. */
export function StateHeading({ children }: { children: string }) {
  const isPart = useContext(IsHeaded)
  useTitle(isPart ? undefined : children)
  return isPart ? <h2>{children}</h2> : <h1>{children}</h1>
}

/** Heads a page for those who listen, where there is no title yet. */
export function UnseenHeading({ children }: { children: ComponentChildren }) {
  const isPart = useContext(IsHeaded)
  return isPart ? <span class="visually-hidden">{children}</span> : <h1 class="visually-hidden">{children}</h1>
}

/** Calls the window by a name; without one it keeps what it has. */
export function useTitle(name: string | undefined): void {
  useEffect(() => {
    if (name !== undefined) document.title = windowName(name)
  }, [name])
}
