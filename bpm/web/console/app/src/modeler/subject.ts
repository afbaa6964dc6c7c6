// What is edited: one element of a drawing, or the process, with what its file says of it. Every change can be undone.

import type { Element as Drawn } from "../diagrams/viewer"
import { idOf, problemOfId } from "./ids"

/** An element of the file, as bpmn-moddle reads it. */
export interface Moddle {
  $type: string
  $attrs: Record<string, string>
  $parent?: Moddle
  id?: string
  name?: string
  body?: string
  text?: string
  get(name: string): unknown
  [property: string]: unknown
}

export interface Element extends Omit<Drawn, "businessObject" | "parent" | "labelTarget"> {
  businessObject: Moddle
  parent?: Element
  labelTarget?: Element
  source?: Element
  target?: Element
  attachers?: Element[]
  outgoing?: Element[]
  x: number
  y: number
  width: number
  height: number
}

type Properties = Record<string, unknown>

export interface Tools {
  canvas: {
    getRootElement(): Element
    resized(): void
    zoom(level: string, center: string): void
    viewbox(box?: { x: number; y: number; width: number; height: number }): { x: number; y: number; width: number; height: number; scale: number }
    addMarker(id: string, name: string): void
    removeMarker(id: string, name: string): void
    scrollToElement(element: Element): void
  }
  registry: { get(id: string): Element | undefined; filter(wanted: (element: Element) => boolean): Element[] }
  selection: { get(): Element[]; select(element: Element | Element[]): void }
  modeling: {
    updateProperties(element: Element, properties: Properties): void
    updateModdleProperties(element: Element, holder: Moddle, properties: Properties): void
    createShape(shape: Element, at: { x: number; y: number }, host: Element, hints: Properties): Element
    connect(source: Element, target: Element, how?: Properties): unknown
    removeElements(elements: Element[]): void
  }
  moddle: { ids: { assigned(id: string): unknown }; createAny(type: string, namespace: string, properties: Properties): Moddle }
  bpmnFactory: { create(type: string, properties?: Properties): Moddle }
  factory: { createShape(about: Properties): Element }
  autoPlace: { append(source: Element, shape: Element): Element }
  replace: { replaceElement(element: Element, target: Properties): Element }
  commands: { undo(): void; redo(): void; canUndo(): boolean; canRedo(): boolean }
  overlays: { add(id: string, type: string, overlay: Properties): void; remove(filter: { type: string }): void }
  rules: { allowed(action: string, context: Properties): unknown }
  definitions(): Moddle
}

export class Subject {
  constructor(
    readonly element: Element,
    private readonly tools: Tools,
  ) {}

  /** The element of the file; of a pool that is its process. */
  get object(): Moddle {
    const { businessObject } = this.element
    return (businessObject["processRef"] as Moddle | undefined) ?? businessObject
  }

  get id(): string {
    return this.object.id ?? ""
  }

  /** The kind as the file writes it, such as `userTask`. */
  get kind(): string {
    const name = this.object.$type.split(":")[1] ?? ""
    return name.charAt(0).toLowerCase() + name.slice(1)
  }

  /** The definition of an event, and its kind, such as `timer`. */
  get definition(): Moddle | undefined {
    return (this.object["eventDefinitions"] as Moddle[] | undefined)?.[0]
  }

  get event(): string {
    const [, kind = ""] = /^bpmn:(\w+)EventDefinition$/.exec(this.definition?.$type ?? "") ?? []
    return kind.toLowerCase()
  }

  get loop(): Moddle | undefined {
    return this.object["loopCharacteristics"] as Moddle | undefined
  }

  get outgoing(): Moddle[] {
    return (this.object["outgoing"] as Moddle[] | undefined) ?? []
  }

  text(name: string, holder: Moddle | undefined = this.object): string {
    const value = holder?.get(name)
    return typeof value === "string" ? value : ""
  }

  is(name: string, holder: Moddle | undefined = this.object): boolean {
    return holder?.get(name) === true
  }

  /** Changes properties; what is empty is left out of the file. */
  set(properties: Properties, holder: Moddle = this.object): void {
    const written = Object.fromEntries(Object.entries(properties).map(([name, value]) => [name, value === "" ? undefined : value]))
    if (holder === this.element.businessObject) this.tools.modeling.updateProperties(this.element, written)
    else this.tools.modeling.updateModdleProperties(this.element, holder, written)
  }

  /** Returns what is wrong with another id, or changes it. */
  rename(id: string): string | undefined {
    if (id === this.id) return undefined
    const problem = this.problemOf(id)
    if (problem) return problem
    this.set({ id })
    return undefined
  }

  /** Changes the name, and with it an id that was the name's. */
  renameWithId(name: string): void {
    const id = idOf(name)
    const follows = this.id === idOf(this.object.name ?? "") && !this.problemOf(id)
    this.set(follows ? { name, id } : { name })
  }

  private problemOf(id: string): string | undefined {
    const { moddle, registry } = this.tools
    return problemOfId(id, (each) => Boolean(moddle.ids.assigned(each) || registry.get(each)))
  }

  expression(name: string, holder: Moddle | undefined = this.object): string {
    return (holder?.get(name) as Moddle | undefined)?.body ?? ""
  }

  setExpression(name: string, body: string, holder: Moddle = this.object): void {
    this.set({ [name]: body ? this.create("bpmn:FormalExpression", { body }, holder) : undefined }, holder)
  }

  get documentation(): string {
    return (this.object["documentation"] as Moddle[] | undefined)?.[0]?.text ?? ""
  }

  set documentation(text: string) {
    this.set({ documentation: text ? [this.create("bpmn:Documentation", { text })] : [] })
  }

  create(type: string, properties: Properties, parent: Moddle = this.object): Moddle {
    const made = this.tools.bpmnFactory.create(type, properties)
    made.$parent = parent
    return made
  }

  /** The same in another engine's words. */
  createOf(type: string, namespace: string, attributes: Properties): Moddle {
    return this.tools.moddle.createAny(type, namespace, attributes)
  }

  /** The extension elements of a kind of ours, such as `bpm:Command`. */
  ours(type: string): Moddle[] {
    return this.extensions.filter((each) => each.$type === type)
  }

  get extensions(): Moddle[] {
    return ((this.object["extensionElements"] as Moddle | undefined)?.get("values") as Moddle[] | undefined) ?? []
  }

  /** Puts extension elements in the place of those of a kind. */
  setOurs(type: string, made: Moddle[]): void {
    this.setExtensions([...this.extensions.filter((each) => each.$type !== type), ...made])
  }

  setExtensions(values: Moddle[]): void {
    const holder = this.create("bpmn:ExtensionElements", { values })
    values.forEach((each) => (each.$parent = holder))
    this.set({ extensionElements: values.length ? holder : undefined })
  }

  /** Everything of a kind that is declared beside the processes, such as `bpmn:Message`. */
  declared(type: string): Moddle[] {
    return this.roots.filter((each) => each.$type === type)
  }

  /** Lets a reference name what is declared under a name, which is declared if nothing is called so yet. */
  refer(reference: string, type: string, name: string, holder: Moddle): void {
    const known = this.declared(type).find((each) => each.name === name)
    const made = name ? (known ?? this.create(type, { name }, this.tools.definitions())) : undefined
    if (made && !known) this.declare([...this.roots, made])
    this.set({ [reference]: made }, holder)
  }

  /** Changes what is declared, and what all that refer to it read. */
  setDeclared(declared: Moddle, properties: Properties): void {
    this.set(properties, declared)
  }

  private get roots(): Moddle[] {
    return (this.tools.definitions()["rootElements"] as Moddle[] | undefined) ?? []
  }

  private declare(rootElements: Moddle[]): void {
    this.tools.modeling.updateModdleProperties(this.element, this.tools.definitions(), { rootElements })
  }
}
