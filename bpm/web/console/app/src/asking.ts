// Questions of a screen: asked when it appears and again when they change; what is live comes by itself from then on.

import { useCallback, useEffect, useRef, useState } from "preact/hooks"
import { Refused, send } from "./bus"
import { returns } from "./connection"
import { stringify } from "./exact_json"
import { watch } from "./live"
import type { Answer, Message } from "./types"

const SLOW_SECONDS = 10
/** What is asked no more often than this is not watched: asking every second would cost more. */

export interface Asked<T> {
  data: T | undefined
  /** What `data` answers: while a changed question is under way, the one before. */
  question: string | undefined
  error: Refused | undefined
  isLoading: boolean
  again: () => void
}

/**
 * Asks the bus; what was answered before stays until the next answer is there, so that nothing jumps.
 * A server that was away is asked again when it is back, and so it is for another `turn`. With `everySeconds` it is live,
 * and asked so often where no stream can be had.
 */
export function useAsk<M extends Message>(message: M | null, everySeconds = 0, turn = 0): Asked<Answer<M>> {
  const [answered, setAnswered] = useState<{ question: string; data: Answer<M> }>()
  const [error, setError] = useState<Refused>()
  const [isLoading, setLoading] = useState(true)
  const key = stringify(message)
  const latest = useRef(0)
  const round = returns.value

  const ask = useCallback(async () => {
    if (!message) return
    const turn = ++latest.current
    setLoading(true)
    try {
      const answer = await send(message)
      if (turn !== latest.current) return
      setAnswered({ question: key, data: answer })
      setError(undefined)
    } catch (problem) {
      if (turn !== latest.current) return
      setError(Refused.of(problem))
    } finally {
      if (turn === latest.current) setLoading(false)
    }
  }, [key])

  const hear = (answer: unknown, refused: Refused | undefined) => {
    latest.current++
    setLoading(false)
    if (!refused) setAnswered({ question: key, data: answer as Answer<M> })
    setError(refused)
  }

  useEffect(() => {
    void ask()
    if (!everySeconds || !message) return undefined
    const told = everySeconds < SLOW_SECONDS ? watch(message, hear) : undefined
    const timer = setInterval(() => document.hidden || told?.watched.isTold || void ask(), everySeconds * 1000)
    return () => {
      clearInterval(timer)
      told?.end()
    }
  }, [ask, everySeconds, round, turn])

  return { data: answered?.data, question: answered?.question, error, isLoading: isLoading && message !== null, again: () => void ask() }
}
