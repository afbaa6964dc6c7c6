// The editor of drawings; fetched when a process is first edited.

import font from "bpmn-js/dist/assets/bpmn-font/font/bpmn.woff2"
import codes from "bpmn-js/dist/assets/bpmn-font/css/bpmn-codes.css" with { type: "text" }
import bpmnLooks from "bpmn-js/dist/assets/bpmn-js.css" with { type: "text" }
import looks from "bpmn-js/dist/assets/diagram-js.css" with { type: "text" }
import BpmnModeler from "bpmn-js/lib/Modeler"
import { dress } from "../diagrams/dress"
import { COLOURS, isNode, type Named } from "../diagrams/viewer"
import { boundariesOf, changesOf, followers, kindNamed, type Kind } from "./kinds"
import own from "./modeler.css" with { type: "text" }
import { Subject, type Element, type Tools } from "./subject"
import { WORDS } from "./words"

export interface Flaw {
  element: string
  message: string
}

export interface Modeler {
  /** Every element that may be chosen, the process first. */
  elements(): Named[]
  /** The element that is chosen, or the process. */
  subject(): Subject | undefined
  choose(id: string): void
  followers(): Kind[]
  boundaries(): Kind[]
  changes(): Kind[]
  append(key: string): void
  attach(key: string): void
  change(key: string): void
  connect(id: string): boolean
  remove(): void
  undo(): void
  redo(): void
  canUndo(): boolean
  canRedo(): boolean
  fit(): void
  mark(flaws: Flaw[]): void
  xml(): Promise<string>
  /** What of the file could not be read, and would be lost. */
  warnings: string[]
  end(): void
}

interface Events {
  onChange: () => void
  onChoose: () => void
}

const FLAW = "bpm-flaw"
const FIT = "fit-viewport"
const MARGIN = 16

/** Opens a file for editing; throws with a sentence when it can't be drawn. */
export async function openModeler(container: HTMLElement, xml: string, { onChange, onChoose }: Events): Promise<Modeler> {
  dress(looks, bpmnLooks, codes, own)
  await needFont()
  const modeler = new BpmnModeler({ container, bpmnRenderer: COLOURS, moddleExtensions: { bpm: WORDS } })
  let warnings: string[]
  try {
    const imported = await modeler.importXML(xml)
    warnings = imported.warnings.map(String)
  } catch (error) {
    modeler.destroy()
    throw error
  }
  const tools = toolsOf(modeler)
  const { canvas, registry, selection, modeling, factory, autoPlace, replace, commands, overlays, rules } = tools
  const chosen = () => {
    const [only, ...others] = selection.get()
    return only && !others.length ? (only.labelTarget ?? only) : canvas.getRootElement()
  }
  const fit = () => {
    if (!container.clientWidth || !container.clientHeight) return
    canvas.resized()
    canvas.zoom(FIT, "auto")
    const { x, y, width, height, scale } = canvas.viewbox()
    const beside = (container.querySelector<HTMLElement>(".djs-palette")?.offsetWidth ?? 0) / scale
    if (beside) canvas.viewbox({ x: x - beside - MARGIN, y, width: width + beside + MARGIN, height })
  }
  let isFitted = false
  const watch = new ResizeObserver(() => {
    if (isFitted) canvas.resized()
    else fit()
    isFitted = true
  })
  watch.observe(container)
  modeler.on("commandStack.changed", onChange)
  modeler.on("selection.changed", onChoose)
  const shapeOf = (kind: Kind) =>
    factory.createShape({ type: kind.type, ...(kind.event && { eventDefinitionType: kind.event }), ...(kind.isExpanded && { isExpanded: true }) })
  let marked: string[] = []
  return {
    warnings,
    elements() {
      const root = canvas.getRootElement()
      const drawn = registry.filter((element) => element !== root && !element.labelTarget && Boolean(element.parent))
      return [root, ...drawn.filter((element) => isNode(element) || /(SequenceFlow|Participant)$/.test(element.type))].map((element) => ({
        id: element.id,
        name: nameOf(element),
      }))
    },
    subject: () => new Subject(chosen(), tools),
    choose(id) {
      const element = registry.get(id)
      selection.select(element && element !== canvas.getRootElement() ? element : [])
      if (element?.parent) canvas.scrollToElement(element)
    },
    followers: () => followers(chosen().type),
    boundaries: () => boundariesOf(chosen().type),
    changes: () => changesOf(chosen().type).filter((kind) => !isOf(chosen(), kind)),
    append(key) {
      const kind = kindNamed(key)
      if (kind) selection.select(autoPlace.append(chosen(), shapeOf(kind)))
    },
    attach(key) {
      const [kind, host] = [kindNamed(key), chosen()]
      if (!kind) return
      const many = host.attachers?.length ?? 0
      const at = { x: host.x + Math.max(host.width - 24 - many * 44, 20), y: host.y + host.height }
      selection.select(modeling.createShape(shapeOf(kind), at, host, { attach: true }))
    },
    change(key) {
      const kind = kindNamed(key)
      if (!kind) return
      const { type, event, isExpanded } = kind
      selection.select(replace.replaceElement(chosen(), { type, ...(event && { eventDefinitionType: event }), ...(isExpanded && { isExpanded }) }))
    },
    connect(id) {
      const [source, target] = [chosen(), registry.get(id)]
      const allowed = target && rules.allowed("connection.create", { source, target })
      if (target && allowed) modeling.connect(source, target, typeof allowed === "object" ? { ...allowed } : undefined)
      return Boolean(allowed)
    },
    remove() {
      const element = chosen()
      if (element.parent) modeling.removeElements([element])
      selection.select([])
    },
    undo: () => commands.undo(),
    redo: () => commands.redo(),
    canUndo: () => commands.canUndo(),
    canRedo: () => commands.canRedo(),
    fit,
    mark(flaws) {
      marked.forEach((id) => registry.get(id) && canvas.removeMarker(id, "has-flaw"))
      overlays.remove({ type: FLAW })
      marked = [...new Set(flaws.map(({ element }) => element))].filter((id) => registry.get(id)?.parent)
      for (const id of marked) {
        canvas.addMarker(id, "has-flaw")
        const words = flaws.filter(({ element }) => element === id).map(({ message }) => message)
        overlays.add(id, FLAW, { position: { top: -12, left: -12 }, html: htmlOf(words) })
      }
    },
    async xml() {
      const { xml: written } = await modeler.saveXML({ format: true })
      return written ?? ""
    },
    end() {
      watch.disconnect()
      modeler.destroy()
    },
  }
}

function toolsOf(modeler: BpmnModeler): Tools {
  return {
    canvas: modeler.get("canvas"),
    registry: modeler.get("elementRegistry"),
    selection: modeler.get("selection"),
    modeling: modeler.get("modeling"),
    moddle: modeler.get("moddle"),
    bpmnFactory: modeler.get("bpmnFactory"),
    factory: modeler.get("elementFactory"),
    autoPlace: modeler.get("autoPlace"),
    replace: modeler.get("bpmnReplace"),
    commands: modeler.get("commandStack"),
    overlays: modeler.get("overlays"),
    rules: modeler.get("rules"),
    definitions: () => modeler.getDefinitions(),
  }
}

/** Whether an element is of a kind already. */
function isOf({ type, businessObject }: Element, kind: Kind): boolean {
  const [event] = (businessObject["eventDefinitions"] as Array<{ $type: string }> | undefined) ?? []
  return type === kind.type && event?.$type === kind.event
}

function nameOf({ id, businessObject, source, target, parent }: Element): string {
  if (!parent) return "The whole process"
  if (source && target) return `${businessObject.name ?? "flow"}: ${nameOf(source)} → ${nameOf(target)}`
  return businessObject.name || id
}

function htmlOf(words: string[]): HTMLElement {
  const element = document.createElement("span")
  element.className = "mark incident"
  element.textContent = "!"
  element.title = words.join("\n")
  return element
}

let isFontThere: Promise<unknown> | undefined

/** Fetches the signs of the palette; without them it is still there. */
function needFont(): Promise<unknown> {
  isFontThere ??= new FontFace("bpmn", `url(${new URL(font, import.meta.url)})`).load().then(
    (face) => document.fonts.add(face),
    () => undefined,
  )
  return isFontThere
}
