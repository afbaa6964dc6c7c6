// A state, told by its word, its shape and its colour, so that no one of the three is needed.

export type Tone = "good" | "warn" | "bad" | "busy" | "idle"

const SHAPES: Record<Tone, string> = {
  good: "M2 6.5 4.7 9.2 10 3",
  warn: "M6 1.5 11 10.5H1z",
  bad: "M2.5 2.5l7 7M9.5 2.5l-7 7",
  busy: "M6 2a4 4 0 1 1-4 4",
  idle: "M2.5 6h7",
}

/** What every state of the bus means for the person who looks. */
const TONES: Record<string, Tone> = {
  done: "good",
  delivered: "good",
  passed: "good",
  completed: "good",
  succeeded: "good",
  active: "good",
  open: "good",
  sent: "good",
  on: "good",
  planned: "idle",
  pending: "busy",
  running: "busy",
  waiting: "busy",
  retrying: "warn",
  failed: "warn",
  duplicate: "idle",
  quarantined: "warn",
  incident: "bad",
  rejected: "warn",
  suspended: "warn",
  dead: "bad",
  failing: "bad",
  cancelled: "idle",
  terminated: "idle",
  ended: "idle",
  off: "idle",
}

export function toneOf(state: string): Tone {
  return TONES[state.toLowerCase()] ?? "idle"
}

export function Badge({ state, tone = toneOf(state) }: { state: string; tone?: Tone }) {
  return (
    <span class={`badge ${tone}`}>
      <svg viewBox="0 0 12 12" aria-hidden="true">
        <path d={SHAPES[tone]} />
      </svg>
      {state.toLowerCase()}
    </span>
  )
}
