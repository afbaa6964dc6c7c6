// The drawing of a process, with what happens in it drawn on its elements; fetched when it is first shown.

import looks from "bpmn-js/dist/assets/diagram-js.css" with { type: "text" }
import NavigatedViewer from "bpmn-js/lib/NavigatedViewer"
import { dress } from "./dress"

export interface Mark {
  element: string
  kind: "token" | "incident" | "added" | "removed" | "changed"
  text: string
  /** What it says to those who listen, and on hover. */
  about: string
}

export interface Named {
  id: string
  name: string
}

export interface Viewer {
  /** Every element that may be chosen, in the order of the file. */
  elements: Named[]
  mark(marks: Mark[], passed: ReadonlySet<string>, chosen: string | undefined): void
  fit(): void
  end(): void
}

export interface Element {
  id: string
  type: string
  businessObject: { name?: string; $type: string }
  labelTarget?: unknown
  parent?: Element
}

interface Canvas {
  findRoot(element: string): Element | undefined
  resized(): void
  zoom(level?: "fit-viewport" | number, center?: "auto"): number
  addMarker(element: string, name: string): void
  removeMarker(element: string, name: string): void
  scrollToElement(element: string, room: number): void
}

interface Overlays {
  add(element: string, type: string, overlay: { position: object; html: HTMLElement }): void
  remove(filter: { type: string }): void
}

interface Registry {
  get(id: string): Element | undefined
  filter(wanted: (element: Element) => boolean): Element[]
}

const OURS = "bpm-mark"
const ROOM = 0.94
/** A drawing that was made smaller leaves some room at the edges, for marks and for what is wider than its shape. */
const UNREADABLE = 0.4
/** A drawing that must be smaller than this to be seen whole begins where somebody is needed, or where something waits. */
const READABLE = 0.7
export const COLOURS = { defaultFillColor: "var(--surface)", defaultStrokeColor: "var(--text)", defaultLabelColor: "var(--text)" }
const MARGIN = 80
/** So many pixels of a drawing are seen beside what one looks at. */
const CHANGED = { top: -12, left: -12 }
const PLACES = { token: { top: -12, right: 14 }, incident: CHANGED, added: CHANGED, removed: CHANGED, changed: CHANGED }
const INSIDE = { token: "something waits inside", incident: "something failed inside", added: "something was added inside", removed: "something was removed inside", changed: "something changed inside" }

/** Draws a file; throws with a sentence when it has no drawing. */
export async function openViewer(container: HTMLElement, xml: string, onElement: (id: string) => void): Promise<Viewer> {
  dress(looks)
  const viewer = new NavigatedViewer({ container, bpmnRenderer: COLOURS })
  try {
    await viewer.importXML(xml)
  } catch (error) {
    viewer.destroy()
    throw error
  }
  const canvas = viewer.get<Canvas>("canvas")
  const overlays = viewer.get<Overlays>("overlays")
  const registry = viewer.get<Registry>("elementRegistry")
  const drawn = registry.filter((element) => !element.labelTarget && Boolean(element.parent))
  viewer.on("element.click", ({ element }: { element: Element }) => element.parent && onElement(element.id.replace(/_label$/, "")))
  let looked: string | undefined
  const isShown = () => Boolean(container.clientWidth && container.clientHeight)
  const fit = () => {
    if (!isShown()) return
    canvas.resized()
    const level = canvas.zoom("fit-viewport", "auto")
    if (level < 1) canvas.zoom(level * ROOM, "auto")
  }
  const look = (element: string | undefined) => {
    looked = element
    if (!element || !isShown() || !registry.get(element)) return
    if (canvas.zoom() < UNREADABLE) canvas.zoom(READABLE)
    canvas.scrollToElement(element, MARGIN)
  }
  const begin = () => {
    fit()
    if (isShown() && canvas.zoom() < UNREADABLE) look(looked)
  }
  const watch = new ResizeObserver(begin)
  watch.observe(container)
  let present: string | undefined
  let marked: Array<[string, string]> = []
  return {
    elements: drawn.filter((element) => isNode(element)).map(({ id, businessObject }) => ({ id, name: businessObject.name ?? id })),
    mark(told, passed, chosen) {
      const drawnOn = told.filter(({ element }) => registry.get(element))
      const marks = [...drawnOn, ...marksOutside(drawnOn, canvas)]
      for (const [element, name] of marked) canvas.removeMarker(element, name)
      overlays.remove({ type: OURS })
      marked = drawn.filter(({ id }) => passed.has(id)).map(({ id }) => [id, "is-passed"])
      for (const { element, kind } of marks) marked.push([element, `has-${kind}`])
      if (chosen && registry.get(chosen)) marked.push([chosen, "is-chosen"])
      for (const [element, name] of marked) canvas.addMarker(element, name)
      for (const mark of marks) overlays.add(mark.element, OURS, { position: PLACES[mark.kind], html: htmlOf(mark) })
      if (chosen && chosen !== present) look(chosen)
      present = chosen
      if (looked) return // what one looks at stays where it is
      looked = (marks.find(({ kind }) => kind === "incident") ?? marks[0])?.element
      begin()
    },
    fit,
    end() {
      watch.disconnect()
      viewer.destroy()
    },
  }
}

const PLANE = /_plane$/

/** Returns marks for collapsed sub-processes, in whose drawings of their own others stand. */
function marksOutside(marks: Mark[], canvas: Canvas): Mark[] {
  const outside = marks.flatMap(({ element, kind, text }): Mark[] => {
    const root = canvas.findRoot(element)?.id ?? ""
    const sign = /^[^\w\s]/.exec(text)?.[0] ?? ""
    return PLANE.test(root) ? [{ element: root.replace(PLANE, ""), kind, text: `${sign} inside`.trim(), about: INSIDE[kind] }] : []
  })
  const once = [...new Map(outside.map((mark) => [`${mark.element} ${mark.kind}`, mark])).values()]
  return once.length ? [...once, ...marksOutside(once, canvas)] : []
}

export function isNode({ type }: Element): boolean {
  return !/(SequenceFlow|MessageFlow|Association|Lane|Participant|Collaboration|Group|TextAnnotation|DataObjectReference|DataStoreReference)$/.test(type)
}

function htmlOf({ kind, text, about }: Mark): HTMLElement {
  const element = document.createElement("span")
  element.className = `mark ${kind}`
  element.textContent = text
  element.title = about
  return element
}
