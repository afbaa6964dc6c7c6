// What a rule does with a request: one of four kinds of work, each with a form of its own.

import { useAsk } from "../../asking"
import { ScriptField, type Shape } from "../../editors/script"
import { CommandFields } from "../../forms/command_fields"
import { TemplateFields } from "../../forms/template_fields"
import { to } from "../../router"
import { may } from "../../session"
import { Button, IconButton } from "../../ui/button"
import { Field, Input, Select } from "../../ui/field"
import { Segments } from "../../ui/segments"
import { KINDS, ofKind, type Change, type Fields } from "./draft"

interface Props {
  fields: Fields
  problems: Record<string, string>
  shape: Shape
  onChange: Change
  onFields: (fields: Fields) => void
}

export function Work(props: Props) {
  const { fields, onFields } = props
  return (
    <section class="card">
      <h2>What it does</h2>
      <div class="card-body stack">
        <Segments
          label="Kind of work"
          value={fields.executionType}
          choices={KINDS.map(({ type, name, about }) => ({ value: type as Fields["executionType"], label: name, about }))}
          onChoice={(kind) => onFields(ofKind(fields, kind))}
        />
        <OfKind {...props} />
      </div>
    </section>
  )
}

function OfKind(props: Props) {
  const { fields, problems, onChange } = props
  switch (fields.executionType) {
    case 0:
      return (
        <CommandFields
          label="Command"
          name={fields.commandName ?? ""}
          parameters={fields.parameters ?? undefined}
          problems={problems}
          path=""
          onName={(commandName) => onChange({ commandName: commandName || undefined })}
          onParameters={(parameters) => onChange({ parameters })}
        />
      )
    case 1:
      return fields.commandChain ? <Chain {...props} /> : <ChainByNames {...props} />
    case 2:
      return <Script {...props} />
    default:
      return <Process {...props} />
  }
}

function ChainByNames({ fields, problems, onChange }: Props) {
  return (
    <Field label="Commands, with commas between" problem={problems["commandName"]} help="Each is filled from the body's fields of the same name.">
      {(own) => <Input {...own} spellcheck={false} value={fields.commandName ?? ""} onText={(commandName) => onChange({ commandName: commandName || undefined })} />}
    </Field>
  )
}

type Step = NonNullable<Fields["commandChain"]>[number]

function Chain({ fields, problems, onChange }: Props) {
  const steps = fields.commandChain ?? []
  const write = (changed: Step[]) => onChange({ commandChain: changed })
  const replace = (index: number, changes: object) => write(steps.map((step, at) => (at === index ? compact({ ...step, ...changes }) : step)))
  const move = (index: number, by: number) => {
    const [step] = steps.slice(index, index + 1)
    const rest = steps.filter((_, at) => at !== index)
    if (step) write([...rest.slice(0, index + by), step, ...rest.slice(index + by)])
  }
  return (
    <ol class="steps">
      {steps.map((step, index) => {
        const path = `commandChain.${index}`
        return (
          <li key={index} class="stack">
            <div class="row">
              <h3>Step {index + 1}</h3>
              <IconButton label={`Step ${index + 1} earlier`} icon="up" disabled={index === 0} onClick={() => move(index, -1)} />
              <IconButton label={`Step ${index + 1} later`} icon="down" disabled={index === steps.length - 1} onClick={() => move(index, 1)} />
              <IconButton label={`Remove step ${index + 1}`} icon="close" disabled={steps.length === 1} onClick={() => write(steps.filter((_, at) => at !== index))} />
            </div>
            <CommandFields
              label={`Command of step ${index + 1}`}
              name={step.commandName}
              parameters={step.parameters ?? undefined}
              problems={problems}
              path={path}
              onName={(commandName) => replace(index, { commandName })}
              onParameters={(parameters) => replace(index, { parameters })}
            />
            <div class="pair">
              <Field label="Name" help="Later steps read its data as steps.<name>." problem={problems[`${path}.name`]}>
                {(own) => <Input {...own} spellcheck={false} value={step.name ?? ""} onText={(name) => replace(index, { name: name || undefined })} />}
              </Field>
              <Field label="Only when" help="A condition, as in payload.amount > 100." problem={problems[`${path}.when`]}>
                {(own) => <Input {...own} spellcheck={false} value={step.when ?? ""} onText={(when) => replace(index, { when: when || undefined })} />}
              </Field>
            </div>
            <label class="checkbox">
              <input
                type="checkbox"
                checked={step.onError === "continue"}
                onChange={(event) => replace(index, { onError: event.currentTarget.checked ? "continue" : undefined })}
              />
              When it fails, go on with the next
            </label>
          </li>
        )
      })}
      <li>
        <Button icon="plus" onClick={() => write([...steps, { commandName: "" }])}>
          One more step
        </Button>
      </li>
    </ol>
  )
}

function Script({ fields, problems, shape, onChange }: Props) {
  const problem = problems["executionCode"]
  return (
    <>
      <ScriptField label="Script" text={fields.executionCode ?? ""} shape={shape} onText={(executionCode) => onChange({ executionCode })} />
      {problem && <p class="problem">{problem}</p>}
      <p class="help">
        It sees <code>payload</code>, <code>headers</code>, <code>query</code> and <code>path</code>, sends messages with <code>send</code>, and answers
        with <code>return</code>. Ctrl Space completes, also the keys of the captured request beside it. Tab indents; Escape, then Tab, leaves the editor.
      </p>
    </>
  )
}

function Process({ fields, problems, onChange }: Props) {
  const asked = useAsk({ $type: "GetProcessDefinitionListQuery", isActive: true, pageSize: 200 })
  const found = asked.data?.items ?? []
  const id = fields.processDefinitionId ?? undefined
  const known = found.some((each) => each.id === id) || id === undefined ? found : [{ id, name: `Definition ${id}`, version: 0 }, ...found]
  return (
    <>
      <Field
        label="Process"
        isRequired
        help={asked.error ? asked.error.message : asked.data && !found.length ? <NoProcess /> : "Every version stands by itself; the newest is first."}
        problem={problems["processDefinitionId"]}
      >
        {(own) => (
          <Select
            {...own}
            value={String(id ?? "")}
            choices={[{ value: "", label: "Choose one" }, ...known.map((each) => ({ value: String(each.id), label: `${each.name}, version ${each.version}` }))]}
            onChoice={(chosen) => onChange({ processDefinitionId: chosen ? Number(chosen) : undefined })}
          />
        )}
      </Field>
      <div class="pair">
        <Field label="Business key" help="As in {{payload.order.id}}." problem={problems["businessKey"]}>
          {(own) => (
            <Input {...own} spellcheck={false} value={String(fields.businessKey ?? "")} onText={(key) => onChange({ businessKey: key || undefined })} />
          )}
        </Field>
        <Field label="Begins" problem={problems["startPolicy"]} help="Whether a request starts an instance, or is for one that waits.">
          {(own) => (
            <Select
              {...own}
              value={fields.startPolicy ?? "start"}
              choices={[
                { value: "start", label: "a new instance" },
                { value: "correlate", label: "the one that waits" },
                { value: "correlateOrStart", label: "the one that waits, else a new one" },
              ]}
              onChoice={(policy) => onChange(policy === "start" ? { startPolicy: undefined, correlation: undefined } : { startPolicy: policy, correlation: fields.correlation ?? { messageName: "" } })}
            />
          )}
        </Field>
      </div>
      {fields.correlation && (
        <div class="pair">
          <Field label="Message it waits for" isRequired problem={problems["correlation.messageName"]}>
            {(own) => (
              <Input {...own} value={fields.correlation?.messageName ?? ""} onText={(messageName) => onChange({ correlation: { ...fields.correlation, messageName } })} />
            )}
          </Field>
          <Field label="Correlation key" problem={problems["correlation.key"]}>
            {(own) => (
              <Input
                {...own}
                spellcheck={false}
                value={String(fields.correlation?.key ?? "")}
                onText={(key) => onChange({ correlation: { messageName: "", ...fields.correlation, key: key || null } })}
              />
            )}
          </Field>
        </div>
      )}
      <TemplateFields
        label="Variables"
        known={[]}
        isOpen
        value={fields.parameters ?? {}}
        problems={problems}
        path="parameters"
        onValue={(parameters) => onChange({ parameters: Object.keys(parameters).length ? parameters : undefined })}
      />
      {!fields.parameters && <p class="help">Without any, the instance is given payload, headers, query and path.</p>}
    </>
  )
}

function NoProcess() {
  return (
    <>
      None is deployed yet.{" "}
      {may("processes:write") && <a href={to("diagrams/new")}>Draw one</a>}
    </>
  )
}

function compact(step: object): Step {
  return Object.fromEntries(Object.entries(step).filter(([, value]) => value !== undefined)) as Step
}
