// A file of decisions, read from its XML and changed in it, so that what is not shown stays as it is.

export interface Cell {
  id: string
  text: string
}

export interface Column {
  id: string
  /** What an input looks at, or the name of an output. */
  text: string
  label: string
  type: string
  /** The ids that a problem of the column may name. */
  places: string[]
}

export interface Rule {
  id: string
  inputs: Cell[]
  outputs: Cell[]
  note: string
}

export interface Table {
  id: string
  policy: string
  aggregation: string
  inputs: Column[]
  outputs: Column[]
  rules: Rule[]
}

export interface Decision {
  id: string
  name: string
  table: Table | undefined
  /** The expression of one that is no table. */
  expression: Cell | undefined
}

export const BLANK = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="decisions" name="Decisions" namespace="urn:bpm-bus:decisions">
  <decision id="new-decision" name="New decision">
    <decisionTable id="table" hitPolicy="FIRST">
      <input id="input-1"><inputExpression id="expression-1" typeRef="number"><text>amount</text></inputExpression></input>
      <output id="output-1" name="result" typeRef="string"/>
      <rule id="rule-1"><inputEntry id="test-1"><text/></inputEntry><outputEntry id="value-1"><text/></outputEntry></rule>
    </decisionTable>
  </decision>
</definitions>
`

const IDENTIFIED = ["decisionTable", "literalExpression", "input", "inputExpression", "output", "rule", "inputEntry", "outputEntry"]

type Change = (find: (id: string) => Element, document: Document) => void

/** Returns the decisions of a file; of one that can't be read, none. */
export function decisionsIn(xml: string): Decision[] {
  return childrenOf(parsed(xml).documentElement, "decision").map((decision) => {
    const table = childOf(decision, "decisionTable")
    const literal = childOf(decision, "literalExpression")
    return {
      id: decision.id,
      name: decision.getAttribute("name") ?? "",
      table: table && tableOf(table),
      expression: literal && { id: literal.id, text: textIn(literal) },
    }
  })
}

function tableOf(table: Element): Table {
  const named = (name: string) => childrenOf(table, name)
  return {
    id: table.id,
    policy: table.getAttribute("hitPolicy") ?? "UNIQUE",
    aggregation: table.getAttribute("aggregation") ?? "",
    inputs: named("input").map((input) => {
      const source = childOf(input, "inputExpression")
      return {
        id: input.id,
        text: source ? textIn(source) : "",
        label: input.getAttribute("label") ?? "",
        type: source?.getAttribute("typeRef") ?? "",
        places: [input.id, source?.id ?? ""],
      }
    }),
    outputs: named("output").map((output) => ({
      id: output.id,
      text: output.getAttribute("name") ?? "",
      label: output.getAttribute("label") ?? "",
      type: output.getAttribute("typeRef") ?? "",
      places: [output.id],
    })),
    rules: named("rule").map((rule) => ({
      id: rule.id,
      inputs: cellsOf(rule, "inputEntry"),
      outputs: cellsOf(rule, "outputEntry"),
      note: noteOf(rule)?.textContent ?? "",
    })),
  }
}

function cellsOf(rule: Element, name: string): Cell[] {
  return childrenOf(rule, name).map((entry) => ({ id: entry.id, text: textIn(entry) }))
}

/** Returns what a place in a decision's table is called, such as `rule 2, input 1`. */
export function nameIn({ table }: Decision, id: string): string | undefined {
  for (const kind of ["inputs", "outputs"] as const) {
    const noun = kind.slice(0, -1)
    const at = table?.[kind].findIndex(({ places }) => places.includes(id)) ?? -1
    if (at >= 0) return `${noun} ${at + 1}`
    for (const [row, rule] of (table?.rules ?? []).entries()) {
      const cell = rule[kind].findIndex((each) => each.id === id)
      if (cell >= 0) return `rule ${row + 1}, ${noun} ${cell + 1}`
    }
  }
  return undefined
}

/** Returns a file in which everything that a problem may be about has an id. */
export function identified(xml: string): string {
  const document = parsed(xml)
  const nameless = IDENTIFIED.flatMap((name) => [...document.getElementsByTagNameNS("*", name)]).filter((each) => !each.id)
  if (!nameless.length) return xml
  nameless.forEach((each) => (each.id = freshId(document, each.localName)))
  return written(document)
}

export const changes = {
  cell: (id: string, text: string): Change => (find) => setText(find(id), text),
  attribute: (id: string, name: string, value: string): Change => (find) => setAttribute(find(id), name, value),
  source: (id: string, text: string): Change => (find) => setText(sourceOf(find(id)), text),
  sourceType: (id: string, type: string): Change => (find) => setAttribute(sourceOf(find(id)), "typeRef", type),
  note: (id: string, text: string): Change => (find) => setNote(find(id), text),
  /** Puts a rule behind another, or at the end. */
  addRule: (table: string, behind?: string): Change => (find, document) => {
    const holder = find(table)
    const rule = made(document, "rule")
    childrenOf(holder, "input").forEach(() => rule.append(entry(document, "inputEntry")))
    childrenOf(holder, "output").forEach(() => rule.append(entry(document, "outputEntry")))
    if (behind) find(behind).after(rule)
    else holder.append(rule)
  },
  remove: (id: string): Change => (find) => find(id).remove(),
  move: (id: string, by: -1 | 1): Change => (find) => {
    const rule = find(id)
    const rules = childrenOf(rule.parentElement, "rule")
    const other = rules[rules.indexOf(rule) + by]
    if (by < 0) other?.before(rule)
    else other?.after(rule)
  },
  addInput: (table: string): Change => (find, document) => {
    const input = made(document, "input")
    const source = made(document, "inputExpression")
    source.setAttribute("typeRef", "string")
    setText(source, "")
    input.append(source)
    addColumn(find(table), input, "input", () => entry(document, "inputEntry"), "inputEntry")
  },
  addOutput: (table: string): Change => (find, document) => {
    const output = made(document, "output")
    const names = childrenOf(find(table), "output").map((each) => each.getAttribute("name"))
    const number = names.length + 1
    output.setAttribute("name", names.includes(`result${number}`) ? `result${number + 1}` : `result${number}`)
    output.setAttribute("typeRef", "string")
    addColumn(find(table), output, "output", () => entry(document, "outputEntry"), "outputEntry")
  },
  removeColumn: (id: string): Change => (find) => {
    const column = find(id)
    const table = column.parentElement
    const at = childrenOf(table, column.localName).indexOf(column)
    childrenOf(table, "rule").forEach((rule) => childrenOf(rule, `${column.localName}Entry`)[at]?.remove())
    column.remove()
  },
  /** Gives a decision another id, and lets what requires it name that. */
  rename: (id: string, wanted: string): Change => (find, document) => {
    const decision = find(id)
    decision.id = wanted
    document.querySelectorAll(`[href="#${CSS.escape(id)}"]`).forEach((each) => each.setAttribute("href", `#${wanted}`))
  },
}

/** Returns a file with a change. */
export function changed(xml: string, change: Change): string {
  const document = parsed(xml)
  const byId = new Map([...document.querySelectorAll("[id]")].map((each) => [each.id, each]))
  change((id) => byId.get(id) ?? document.documentElement, document)
  return written(document)
}

/** Whether something in a file has this id. */
export function isTaken(xml: string, id: string): boolean {
  return parsed(xml).querySelector(`[id="${CSS.escape(id)}"]`) !== null
}

export function isReadable(xml: string): boolean {
  return !parsed(xml).querySelector("parsererror")
}

function addColumn(table: Element, column: Element, name: string, makeEntry: () => Element, entryName: string): void {
  const before = name === "input" ? childOf(table, "output") : (childOf(table, "annotation") ?? childOf(table, "rule"))
  const last = childrenOf(table, name).at(-1)
  if (last) last.after(column)
  else table.insertBefore(column, before ?? null)
  for (const rule of childrenOf(table, "rule")) {
    const cells = childrenOf(rule, entryName).at(-1) ?? (entryName === "outputEntry" ? childrenOf(rule, "inputEntry").at(-1) : undefined)
    if (cells) cells.after(makeEntry())
    else rule.prepend(makeEntry())
  }
}

function parsed(xml: string): Document {
  return new DOMParser().parseFromString(xml, "application/xml")
}

function written(document: Document): string {
  const text = new XMLSerializer().serializeToString(document)
  return text.startsWith("<?xml") ? text : `<?xml version="1.0" encoding="UTF-8"?>\n${text}`
}

function childrenOf(element: Element | null, name: string): Element[] {
  return [...(element?.children ?? [])].filter((each) => each.localName === name)
}

function childOf(element: Element, name: string): Element | undefined {
  return childrenOf(element, name)[0]
}

function textIn(element: Element): string {
  return childOf(element, "text")?.textContent ?? ""
}

function setText(element: Element, text: string): void {
  const holder = childOf(element, "text") ?? element.appendChild(created(element.ownerDocument, "text"))
  holder.textContent = text
}

function setAttribute(element: Element, name: string, value: string): void {
  if (value) element.setAttribute(name, value)
  else element.removeAttribute(name)
}

function sourceOf(input: Element): Element {
  return childOf(input, "inputExpression") ?? input.appendChild(made(input.ownerDocument, "inputExpression"))
}

/** A note stands in the first annotation, or in Camunda's description. */
function noteOf(rule: Element): Element | undefined {
  const annotation = childOf(rule, "annotationEntry")
  return childOf(rule, "description") ?? (annotation && childOf(annotation, "text"))
}

function setNote(rule: Element, text: string): void {
  const present = noteOf(rule)
  if (present) present.textContent = text
  else {
    const description = created(rule.ownerDocument, "description")
    description.textContent = text
    rule.prepend(description)
  }
}

function created(document: Document, name: string): Element {
  return document.createElementNS(document.documentElement.namespaceURI, name)
}

function made(document: Document, name: string): Element {
  const element = created(document, name)
  element.id = freshId(document, name)
  return element
}

function entry(document: Document, name: string): Element {
  const element = made(document, name)
  setText(element, "")
  return element
}

function freshId(document: Document, name: string): string {
  const random = () => `${name}_${crypto.getRandomValues(new Uint32Array(1))[0]?.toString(36)}`
  let id = random()
  while (document.getElementById(id)) id = random()
  return id
}
