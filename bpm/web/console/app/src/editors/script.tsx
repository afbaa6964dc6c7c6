// A field that holds a script; its editor is fetched when the field is first shown.

import { useEffect, useRef, useState } from "preact/hooks"
import { send } from "../bus"
import { may } from "../session"
import type { Schemas } from "../types"
import { TextArea } from "../ui/field"
import type { ScriptEditor } from "./script_editor"

export interface Problem {
  line: number
  column: number
  endLine: number
  endColumn: number
  message: string
  severity: "error" | "warning"
}

/** What is known of the values that a script sees, by their names. */
export type Shape = Record<string, unknown>

interface Props {
  label: string
  /** What it begins with; a field with another text is another field. */
  text: string
  shape: Shape
  onText: (text: string) => void
}

export function ScriptField({ label, text, shape, onText }: Props) {
  const place = useRef<HTMLDivElement>(null)
  const editor = useRef<ScriptEditor | undefined>(undefined)
  const latest = useRef({ onText, shape })
  latest.current = { onText, shape }
  const [problems, setProblems] = useState<Problem[]>([])
  const [isPlain, setPlain] = useState(false)

  useEffect(() => {
    let isGone = false
    const parent = place.current
    import("./script_editor").then(
      ({ openEditor }) => {
        if (isGone || !parent) return
        editor.current = openEditor({
          parent,
          label,
          text,
          onText: (changed) => latest.current.onText(changed),
          shape: () => latest.current.shape,
          check: async (changed) => {
            const found = await check(changed)
            if (!isGone) setProblems(found)
            return found
          },
        })
      },
      () => setPlain(true),
    )
    return () => {
      isGone = true
      editor.current?.end()
    }
  }, [])

  if (isPlain) return <TextArea aria-label={label} rows={12} spellcheck={false} value={text} onText={onText} />
  return (
    <div class="script">
      <div class="script-editor" ref={place} />
      <ul class="script-problems" aria-label={`Problems of ${label.toLowerCase()}`} aria-live="polite">
        {problems.map((problem) => (
          <li key={`${problem.line}.${problem.column}.${problem.message}`} class={problem.severity === "error" ? "bad" : "warn"}>
            <button type="button" class="link" onClick={() => editor.current?.goTo(problem.line)}>
              line {problem.line}, column {problem.column}
            </button>
            <span>{problem.message}</span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Asks the sandbox what is wrong with a script; who may not ask is told when the script is saved. */
async function check(code: string): Promise<Problem[]> {
  if (!code.trim() || !may("code:read")) return []
  try {
    const { problems, warnings } = await send({ $type: "ValidateCodeCommand", code })
    return [...problems.map((each) => problemOf(each, "error")), ...warnings.map((each) => problemOf(each, "warning"))]
  } catch {
    return []
  }
}

function problemOf(found: Schemas["ProblemView"], severity: Problem["severity"]): Problem {
  return { ...found, severity }
}
