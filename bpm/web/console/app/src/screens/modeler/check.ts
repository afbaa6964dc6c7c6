// What a deployment would say of a file, asked for while it is written.

import { useEffect, useRef, useState } from "preact/hooks"
import { Refused, send } from "../../bus"
import { stringify } from "../../exact_json"
import type { Schemas } from "../../types"

export type Problem = Schemas["ModelProblemView"]
type Check = { $type: "CheckProcessDefinitionCommand"; bpmnXml: string }

export interface Found {
  problems: Problem[]
  /** Whether what was found is of the file as it is now. */
  isNow: boolean
  refused: Refused | undefined
}

const REST = 500
/** The check waits until nothing was written for so many milliseconds. */

export function useCheck(message: Check): Found {
  return useChecked(message, async (asked) => (await send(asked)).problems)
}

/** Asks about a message when it rests; what was found before stays until then. Without one nothing is asked. */
export function useChecked<M extends object>(message: M | null, ask: (message: M) => Promise<Problem[]>): Found {
  const [found, setFound] = useState<Found>({ problems: [], isNow: false, refused: undefined })
  const key = stringify(message)
  const turn = useRef(0)
  useEffect(() => {
    const own = ++turn.current
    const isLate = () => own !== turn.current
    setFound((before) => (before.isNow ? { ...before, isNow: false } : before))
    const timer = setTimeout(() => {
      if (!message) return
      ask(message).then(
        (problems) => isLate() || setFound({ problems, isNow: true, refused: undefined }),
        (error) => isLate() || setFound({ problems: [], isNow: true, refused: Refused.of(error) }),
      )
    }, REST)
    return () => clearTimeout(timer)
  }, [key])
  useEffect(() => () => void turn.current++, [])
  return found
}
