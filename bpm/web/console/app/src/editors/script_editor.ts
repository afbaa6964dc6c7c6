// The editor of scripts: Python, what is wrong at its place while one types, and what a script sees completed.
//
// It lives in a shadow root, where its styles are sheets that code makes; in the page they would be elements that the
// policy of the console forbids.

import { autocompletion, closeBrackets, completionKeymap, type CompletionContext } from "@codemirror/autocomplete"
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands"
import { python } from "@codemirror/lang-python"
import { HighlightStyle, bracketMatching, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language"
import { lintGutter, lintKeymap, linter, type Diagnostic } from "@codemirror/lint"
import { EditorState } from "@codemirror/state"
import { EditorView, drawSelection, highlightActiveLine, keymap, lineNumbers } from "@codemirror/view"
import { tags } from "@lezer/highlight"
import { ExactNumber, isObject } from "../exact_json"
import type { Problem, Shape } from "./script"

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.controlKeyword], color: "var(--accent)" },
  { tag: [tags.string, tags.special(tags.string)], color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: tags.comment, color: "var(--muted)", fontStyle: "italic" },
])

const LOOKS = EditorView.theme({
  "&": { color: "var(--text)", background: "var(--surface)", fontSize: "var(--small)" },
  "&.cm-focused": { outline: "2px solid var(--accent)", outlineOffset: "-2px" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "18px", maxHeight: "60vh" },
  ".cm-content, .cm-gutter": { minHeight: "176px" },
  ".cm-content": { caretColor: "var(--text)", padding: "8px 0" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": { background: "var(--sunken)", color: "var(--muted)", borderRight: "1px solid var(--line)" },
  ".cm-activeLine, .cm-activeLineGutter": { background: "var(--hover)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft)" },
  ".cm-matchingBracket": { background: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-tooltip": { background: "var(--raised)", color: "var(--text)", border: "1px solid var(--line-strong)", borderRadius: "6px" },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": { background: "var(--accent)", color: "var(--on-accent)" },
  ".cm-diagnostic-error": { borderLeftColor: "var(--bad)" },
  ".cm-diagnostic-warning": { borderLeftColor: "var(--warn)" },
  ".cm-lintRange-error": { backgroundImage: "none", textDecoration: "underline wavy var(--bad)" },
  ".cm-lintRange-warning": { backgroundImage: "none", textDecoration: "underline wavy var(--warn)" },
})

const NAMES = ["payload", "headers", "query", "path", "method", "request_id", "request", "variables", "result"]
const CALLS = ["send", "reply", "log", "now"]
const PATH = /\b(payload|variables)((?:\["[^"]*"\])*)\["?(\w*)$/

/** Puts what is typed in the place of what is chosen; left to the browser, it takes over the look of that by a style. */
const typedOver = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { from, to, empty } = view.state.selection.main
    const { data } = event
    if (event.inputType !== "insertText" || !data || empty || view.composing) return false
    const insert = () => view.state.update(view.state.replaceSelection(data), { userEvent: "input.type", scrollIntoView: true })
    if (!view.state.facet(EditorView.inputHandler).some((handle) => handle(view, from, to, data, insert))) view.dispatch(insert())
    return true
  },
})

interface Options {
  parent: HTMLElement
  text: string
  label: string
  onText: (text: string) => void
  check: (text: string) => Promise<Problem[]>
  shape: () => Shape
}

export interface ScriptEditor {
  goTo(line: number): void
  end(): void
}

export function openEditor({ parent, text, label, onText, check, shape }: Options): ScriptEditor {
  const root = parent.shadowRoot ?? parent.attachShadow({ mode: "open" })
  const view = new EditorView({
    root,
    parent: root as unknown as HTMLElement,
    state: EditorState.create({
      doc: text,
      extensions: [
        lineNumbers(),
        history(),
        drawSelection(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        typedOver,
        highlightActiveLine(),
        indentUnit.of("    "),
        python(),
        syntaxHighlighting(COLOURS),
        LOOKS,
        lintGutter(),
        linter(async (each) => (await check(each.state.doc.toString())).map((problem) => placed(each, problem)), { delay: 400 }),
        autocompletion({ override: [(context) => complete(context, shape())] }),
        keymap.of([...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ "aria-label": label, spellcheck: "false", tabindex: "0" }),
        EditorView.updateListener.of((update) => update.docChanged && onText(update.state.doc.toString())),
      ],
    }),
  })
  return {
    goTo(line) {
      const { from } = view.state.doc.line(Math.min(Math.max(line, 1), view.state.doc.lines))
      view.dispatch({ selection: { anchor: from }, scrollIntoView: true })
      view.focus()
    },
    end: () => view.destroy(),
  }
}

function placed(view: EditorView, { line, column, endLine, endColumn, message, severity }: Problem): Diagnostic {
  const at = (wantedLine: number, wantedColumn: number) => {
    const { from, to } = view.state.doc.line(Math.min(Math.max(wantedLine, 1), view.state.doc.lines))
    return Math.min(from + Math.max(wantedColumn - 1, 0), to)
  }
  const from = at(line, column)
  return { from, to: Math.max(at(endLine, endColumn), from), message, severity }
}

/** Completes what a script sees, and the keys of the payload as the captured request has them. */
function complete(context: CompletionContext, shape: Shape) {
  const keys = context.matchBefore(PATH)
  const [, name = "", path = "", typed = ""] = PATH.exec(keys?.text ?? "") ?? []
  if (keys) {
    const inside = [...path.matchAll(/\["([^"]*)"\]/g)].map((match) => match[1] ?? "")
    const place = inside.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], shape[name])
    if (!isObject(place)) return null
    const isQuoted = keys.text.slice(0, keys.text.length - typed.length).endsWith('"')
    const options = Object.entries(place).map(([key, value]) => ({
      label: key,
      detail: Array.isArray(value) ? "list" : value === null ? "null" : value instanceof ExactNumber ? "number" : typeof value,
      apply: isQuoted ? key : `"${key}"`,
    }))
    return { from: context.pos - typed.length, options }
  }
  const word = context.matchBefore(/\w+$/)
  if (!word && !context.explicit) return null
  const options = [...NAMES.map((label) => ({ label, type: "variable" })), ...CALLS.map((label) => ({ label, type: "function" }))]
  return { from: word?.from ?? context.pos, options }
}
