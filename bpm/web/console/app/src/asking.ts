// Questions of a screen: asked when it appears, again when they change, and again after a while where it is live.

import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { Refused, send } from "./bus"
import type { Answer, Message } from "./types"

export interface Asked<T> {
  data: T | undefined
  error: Refused | undefined
  isLoading: boolean
  again: () => void
}

/** Asks the bus; what was answered before stays until the next answer is there, so that nothing jumps. */
export function useAsk<M extends Message>(message: M | null, everySeconds = 0): Asked<Answer<M>> {
  const [data, setData] = useState<Answer<M>>()
  const [error, setError] = useState<Refused>()
  const [isLoading, setLoading] = useState(true)
  const key = JSON.stringify(message)
  const latest = useRef(0)

  const ask = useCallback(async () => {
    if (!message) return
    const turn = ++latest.current
    setLoading(true)
    try {
      const answer = await send(message)
      if (turn !== latest.current) return
      setData(() => answer)
      setError(undefined)
    } catch (problem) {
      if (turn !== latest.current) return
      setError(Refused.of(problem))
    } finally {
      if (turn === latest.current) setLoading(false)
    }
  }, [key])

  useEffect(() => {
    void ask()
    if (!everySeconds) return undefined
    const timer = setInterval(() => document.hidden || void ask(), everySeconds * 1000)
    return () => clearInterval(timer)
  }, [ask, everySeconds])

  return { data, error, isLoading, again: () => void ask() }
}
