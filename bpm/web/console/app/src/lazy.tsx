// Screens and editors that few visits need: their code is fetched when they are first shown.

import type { ComponentType } from "preact"
import { useEffect, useState } from "preact/hooks"
import { Refused } from "./bus"
import { Failed, Loading } from "./ui/states"

/** Returns a component that fetches another and shows it; what does not come is told, and can be asked for again. */
export function lazy<P extends object>(fetchIt: () => Promise<ComponentType<P>>): ComponentType<P> {
  let fetched: ComponentType<P> | undefined
  return function Lazy(props: P) {
    const [Whole, setWhole] = useState(() => fetched)
    const [error, setError] = useState<Refused>()
    const ask = () => {
      setError(undefined)
      fetchIt().then(
        (component) => setWhole(() => (fetched = component)),
        () => setError(new Refused(0, "This part of the console can't be fetched", ["Is the server running? After an update, load the page again."], "")),
      )
    }
    useEffect(() => void (fetched || ask()), [])
    if (error) return <Failed error={error} onAgain={ask} />
    return Whole ? <Whole {...props} /> : <Loading />
  }
}
