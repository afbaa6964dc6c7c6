// Our own words in the XML of a process, as bpmn-moddle reads and writes them.

const text = { name: "text", type: "String", isBody: true }
const attribute = (name: string) => ({ name, type: "String", isAttr: true })
const parameters = { name: "parameters", type: "Parameter", isMany: true }
const type = (name: string, ...properties: object[]) => ({ name, superClass: ["Element"], properties })

/** Words that stand as attributes on the element itself. */
const ON_ELEMENTS = [
  "resultVariable", "formKey", "assignee", "candidateUsers", "candidateGroups", "dueDate", "priority", "decision",
  "errorCodeVariable", "errorMessageVariable", "correlationKey", "collection", "item", "outputCollection", "outputItem",
  "activeElements",
]

export const WORDS = {
  name: "BPM Bus",
  uri: "urn:bpm-bus",
  prefix: "bpm",
  xml: { tagAlias: "lowerCase" },
  types: [
    { name: "Words", extends: ["bpmn:BaseElement"], properties: ON_ELEMENTS.map(attribute) },
    type("Command", attribute("type"), attribute("resultVariable"), attribute("retries"), parameters, text),
    type("Message", attribute("name"), attribute("correlationKey"), parameters, text),
    type("Parameter", attribute("name"), text),
    type("Input", attribute("name"), text),
    type("Output", attribute("name"), text),
    type("FormSchema", text),
    type("Script", attribute("scriptFormat"), text),
    ...["ExecutionListener", "TaskListener"].map((name) =>
      type(name, attribute("event"), attribute("type"), attribute("resultVariable"), parameters, { name: "script", type: "Script" }, text),
    ),
  ],
}
