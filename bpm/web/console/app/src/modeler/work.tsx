// What an activity does: a command, a script, a decision, another process, or a task for somebody.

import { useAsk } from "../asking"
import { ScriptField } from "../editors/script"
import { stringify } from "../exact_json"
import { CommandFields } from "../forms/command_fields"
import { TemplateFields } from "../forms/template_fields"
import { Field, Select } from "../ui/field"
import { LateText, Part, Text } from "./fields"
import { FormPart } from "./form"
import { MessageFields } from "./events"
import { parametersOf, withParameters } from "./parameters"
import type { Moddle, Subject } from "./subject"

const COMMANDS = ["serviceTask", "sendTask", "businessRuleTask"]
const MANY = 200

export interface Props {
  subject: Subject
  /** Grows with what is undone: what holds a text of its own begins anew. */
  round: number
}

export function Work({ subject, round }: Props) {
  const { kind, event } = subject
  if (kind === "scriptTask") return <Script subject={subject} round={round} />
  if (kind === "callActivity") return <Call subject={subject} />
  if (kind === "userTask") return <Person subject={subject} />
  if (kind === "sendTask" || (event === "message" && /^(end|intermediateThrow)Event$/.test(kind))) return <Sending subject={subject} />
  if (kind === "businessRuleTask") return <Rule subject={subject} />
  if (COMMANDS.includes(kind)) return <Command subject={subject} />
  return null
}

function Command({ subject }: { subject: Subject }) {
  return (
    <Part title="What it does">
      <CommandPart subject={subject} />
      <ResultVariable subject={subject} usual="lastServiceResult" />
      <Text label="Tries" value={commandOf(subject)?.["retries"] as string ?? ""} help="Before it is an incident; usually 3." onText={(retries) => change(subject, { retries })} />
    </Part>
  )
}

function CommandPart({ subject }: { subject: Subject }) {
  const command = commandOf(subject)
  return (
    <CommandFields
      label="Command"
      name={subject.text("type", command)}
      parameters={command && parametersOf(command)}
      problems={{}}
      path=""
      onName={(type) => change(subject, { type })}
      onParameters={(parameters) => subject.setOurs("bpm:Command", [withParameters(subject, "bpm:Command", plain(command), parameters ?? {})])}
    />
  )
}

function commandOf(subject: Subject): Moddle | undefined {
  return subject.ours("bpm:Command")[0]
}

const plain = (command: Moddle | undefined) => ({ type: command?.["type"], retries: command?.["retries"] })

function change(subject: Subject, changes: Record<string, string>): void {
  const command = commandOf(subject)
  const about = { ...plain(command), ...Object.fromEntries(Object.entries(changes).map(([name, text]) => [name, text || undefined])) }
  const made = withParameters(subject, "bpm:Command", about, command ? parametersOf(command) : {})
  subject.setOurs("bpm:Command", about.type || about.retries ? [made] : [])
}

/** The variable that takes the result; a file may say it of the command as well. */
function ResultVariable({ subject, usual }: { subject: Subject; usual: string }) {
  const command = commandOf(subject)
  const value = subject.text("bpm:resultVariable") || subject.text("resultVariable", command)
  const write = (name: string) => {
    if (command?.["resultVariable"]) subject.set({ resultVariable: undefined }, command)
    subject.set({ "bpm:resultVariable": name })
  }
  return <Text label="Variable for its result" value={value} help={usual && `Usually ${usual}.`} onText={write} />
}

type Way = "command" | "message" | "decision"

function Sending({ subject }: { subject: Subject }) {
  const way: Way = commandOf(subject) ? "command" : "message"
  return (
    <Part title="What it sends">
      <WayChoice
        label="Sends"
        value={way}
        choices={[
          { value: "message", label: "a message to other instances" },
          { value: "command", label: "a command of the bus" },
        ]}
        onChoice={(chosen) => subject.setOurs("bpm:Command", chosen === "command" ? [subject.create("bpm:Command", { type: "" })] : [])}
      />
      {way === "command" ? <CommandPart subject={subject} /> : <MessageFields subject={subject} isThrown />}
      {way === "command" && <ResultVariable subject={subject} usual="lastServiceResult" />}
    </Part>
  )
}

function Rule({ subject }: { subject: Subject }) {
  const way: Way = commandOf(subject) ? "command" : "decision"
  const asked = useAsk({ $type: "GetDecisionDefinitionListQuery", pageSize: MANY })
  return (
    <Part title="What it decides">
      <WayChoice
        label="Asks"
        value={way}
        choices={[
          { value: "decision", label: "a decision" },
          { value: "command", label: "a command of the bus" },
        ]}
        onChoice={(chosen) => {
          if (chosen === "command") subject.set({ "bpm:decision": "" })
          subject.setOurs("bpm:Command", chosen === "command" ? [subject.create("bpm:Command", { type: "" })] : [])
        }}
      />
      {way === "command" ? (
        <CommandPart subject={subject} />
      ) : (
        <Text
          label="Decision"
          isRequired
          value={subject.text("bpm:decision")}
          help="Its id; the newest version counts."
          suggestions={(asked.data?.items ?? []).map(({ key }) => key)}
          onText={(decision) => subject.set({ "bpm:decision": decision })}
        />
      )}
      <ResultVariable subject={subject} usual={way === "decision" ? "decisionResult" : "lastServiceResult"} />
    </Part>
  )
}

function WayChoice({ label, value, choices, onChoice }: { label: string; value: Way; choices: Array<{ value: Way; label: string }>; onChoice: (way: Way) => void }) {
  return (
    <Field label={label}>
      {(own) => <Select {...own} value={value} choices={choices} onChoice={(way) => onChoice(way as Way)} />}
    </Field>
  )
}

function Script({ subject, round }: Props) {
  return (
    <Part title="What it runs">
      <ScriptField
        key={round}
        label="Script"
        text={subject.text("script")}
        shape={{}}
        onText={(script) => subject.set({ script, scriptFormat: subject.text("scriptFormat") || "python" })}
      />
      <p class="help">
        Python. It reads and changes <code>variables</code>; what it returns is its result.
      </p>
      <ResultVariable subject={subject} usual="lastScriptResult" />
    </Part>
  )
}

function Call({ subject }: { subject: Subject }) {
  const asked = useAsk({ $type: "GetProcessDefinitionListQuery", pageSize: MANY })
  return (
    <Part title="What it runs">
      <LateText
        label="Process"
        isRequired
        value={subject.text("calledElement")}
        help="Its id; the newest active version counts. All variables go in and come back, unless inputs and outputs say which."
        suggestions={(asked.data?.items ?? []).map(({ key }) => key)}
        onText={(calledElement) => subject.set({ calledElement })}
      />
    </Part>
  )
}

function Person({ subject }: { subject: Subject }) {
  const own = (name: string) => ({ value: subject.text(`bpm:${name}`), onText: (text: string) => subject.set({ [`bpm:${name}`]: text }) })
  return (
    <>
      <Part title="Whose it is">
        <Text label="Assignee" {...own("assignee")} help="A user name, or an expression such as {{order.clerk}}." />
        <Text label="Candidate users" {...own("candidateUsers")} help="With commas between." />
        <Text label="Candidate groups" {...own("candidateGroups")} help="Roles, with commas between." />
        <Text label="Due" {...own("dueDate")} help="A time from now, such as P2D, or a date." />
        <Text label="Priority" {...own("priority")} />
      </Part>
      <FormPart subject={subject} />
    </>
  )
}

const MAPPED = /(Task|callActivity|subProcess|transaction|adHocSubProcess|Event)$/i

/** The values that an element is given, and the variables that are written from what it gives. */
export function Mappings({ subject }: { subject: Subject }) {
  if (!MAPPED.test(subject.kind)) return null
  const list = (type: string) => Object.fromEntries(subject.ours(type).map((each) => [each.name ?? "", each.text ?? ""]))
  const write = (type: string) => (values: Record<string, unknown>) =>
    subject.setOurs(type, Object.entries(values).map(([name, value]) => subject.create(type, { name, text: textOf(value) })))
  const count = subject.ours("bpm:Input").length + subject.ours("bpm:Output").length
  const takes = !/^(start|intermediateCatch|boundary)Event$/.test(subject.kind)
  return (
    <Part title="Variables" about={count ? `${count} mapped` : "as they are"} isOpen={count > 0}>
      {takes && <TemplateFields label="Given to it alone" known={[]} isOpen value={list("bpm:Input")} problems={{}} path="" onValue={write("bpm:Input")} />}
      <TemplateFields label="Written when it is done" known={[]} isOpen value={list("bpm:Output")} problems={{}} path="" onValue={write("bpm:Output")} />
    </Part>
  )
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : stringify(value ?? "")
}
