// The form of a user task: fields that become a JSON Schema, a form that is deployed, or none.

import { useState } from "preact/hooks"
import { useAsk } from "../asking"
import { parse } from "../exact_json"
import { Button, IconButton } from "../ui/button"
import { pretty } from "../ui/code"
import { Field, Input, Select } from "../ui/field"
import { JsonArea } from "../ui/json_area"
import { Check, Part, Text } from "./fields"
import type { Subject } from "./subject"

const MANY = 200
const FORM = "zeebe:formDefinition"
const ZEEBE = "http://camunda.org/schema/zeebe/1.0"

type Way = "none" | "fields" | "json" | "deployed" | "key"

const WAYS = [
  { value: "none", label: "no form: anything is taken" },
  { value: "fields", label: "fields" },
  { value: "json", label: "a JSON Schema" },
  { value: "deployed", label: "a form that is deployed" },
  { value: "key", label: "a form of your own application" },
]

export function FormPart({ subject }: { subject: Subject }) {
  const schema = subject.ours("bpm:FormSchema")[0]?.text
  const deployed = subject.extensions.find((each) => each.$type === FORM)
  const key = subject.text("bpm:formKey")
  const found: Way = schema !== undefined ? (fieldsOf(schema) ? "fields" : "json") : deployed ? "deployed" : key ? "key" : "none"
  const [wanted, want] = useState<Way>()
  const way = wanted ?? found
  const writeSchema = (text: string) => subject.setOurs("bpm:FormSchema", [subject.create("bpm:FormSchema", { text })])
  const choose = (chosen: Way) => {
    want(chosen)
    const kept = schema ?? "{}"
    subject.setExtensions(subject.extensions.filter((each) => each.$type !== "bpm:FormSchema" && each.$type !== FORM))
    subject.set({ "bpm:formKey": "" })
    if (chosen === "fields") writeSchema(schemaOf(fieldsOf(kept) ?? []))
    if (chosen === "json") writeSchema(kept)
  }
  return (
    <Part title="What it asks">
      <Field label="Form">{(own) => <Select {...own} value={way} choices={WAYS} onChoice={(chosen) => choose(chosen as Way)} />}</Field>
      {way === "fields" && <Fields fields={fieldsOf(schema ?? "{}") ?? []} onFields={(fields) => writeSchema(schemaOf(fields))} />}
      {way === "json" && (
        <Field label="JSON Schema" help="What completes the task must fit it.">
          {(own) => <JsonArea {...own} rows={6} value={schema ?? ""} onText={writeSchema} />}
        </Field>
      )}
      {way === "deployed" && (
        <Deployed
          value={String(deployed?.["formId"] ?? "")}
          onText={(formId) => {
            const others = subject.extensions.filter((each) => each.$type !== FORM)
            subject.setExtensions(formId ? [...others, subject.createOf(FORM, ZEEBE, { formId })] : others)
          }}
        />
      )}
      {way === "key" && <Text label="Key of the form" value={key} help="Your application knows what to show." onText={(text) => subject.set({ "bpm:formKey": text })} />}
    </Part>
  )
}

function Deployed({ value, onText }: { value: string; onText: (id: string) => void }) {
  const asked = useAsk({ $type: "GetFormDefinitionListQuery", pageSize: MANY })
  const suggestions = (asked.data?.items ?? []).map(({ key }) => key)
  return <Text label="Id of the form" isRequired value={value} help="The newest version counts when the task is opened." suggestions={suggestions} onText={onText} />
}

const TYPES = [
  { value: "string", label: "text" },
  { value: "number", label: "number" },
  { value: "integer", label: "whole number" },
  { value: "boolean", label: "yes or no" },
  { value: "choice", label: "one of several" },
]

interface FormField {
  name: string
  type: string
  about: string
  choices: string[]
  isRequired: boolean
}

function Fields({ fields, onFields }: { fields: FormField[]; onFields: (fields: FormField[]) => void }) {
  const [name, setName] = useState("")
  const replace = (at: number, ...made: FormField[]) => onFields([...fields.slice(0, at), ...made, ...fields.slice(at + 1)])
  const isNew = name.trim() !== "" && !fields.some((field) => field.name === name.trim())
  const add = () => {
    if (isNew) onFields([...fields, { name: name.trim(), type: "string", about: "", choices: [], isRequired: false }])
    setName("")
  }
  return (
    <>
      {fields.map((field, at) => (
        <OneField key={field.name} field={field} onField={(changed) => replace(at, changed)} onRemove={() => replace(at)} />
      ))}
      <span class="row keep">
        <Input
          aria-label="Name of a field to add"
          placeholder="name of a variable"
          spellcheck={false}
          value={name}
          onText={setName}
          onKeyDown={(event) => {
            if (event.key !== "Enter") return
            event.preventDefault()
            add()
          }}
        />
        <Button icon="plus" disabled={!isNew} onClick={add}>
          Add a field
        </Button>
      </span>
    </>
  )
}

function OneField({ field, onField, onRemove }: { field: FormField; onField: (field: FormField) => void; onRemove: () => void }) {
  const { name, type, about, choices, isRequired } = field
  return (
    <fieldset>
      <legend class="row">
        <code>{name}</code>
        <IconButton label={`Remove the field ${name}`} icon="close" onClick={onRemove} />
      </legend>
      <Field label={`Type of ${name}`}>
        {(own) => <Select {...own} value={type} choices={TYPES} onChoice={(chosen) => onField({ ...field, type: chosen })} />}
      </Field>
      {type === "choice" && (
        <Text label={`Choices of ${name}`} value={choices.join("\n")} help="One a line." onText={(text) => onField({ ...field, choices: text.split("\n") })} />
      )}
      <Text label={`About ${name}`} isProse value={about} onText={(text) => onField({ ...field, about: text })} />
      <Check label={`${name} is required`} checked={isRequired} onCheck={(checked) => onField({ ...field, isRequired: checked })} />
    </fieldset>
  )
}

const KNOWN = ["type", "properties", "required"]
const KNOWN_OF_FIELDS = ["type", "description", "enum"]

interface Property {
  type?: string
  description?: string
  enum?: string[]
}

/** Returns the fields that a schema says, or nothing when it says more than fields can. */
function fieldsOf(text: string): FormField[] | undefined {
  try {
    const schema = parse(text) as { properties?: Record<string, Property>; required?: string[] }
    const entries = Object.entries(schema.properties ?? {})
    const isPlain = Object.keys(schema).every((word) => KNOWN.includes(word)) && entries.every(([, each]) => isField(each))
    if (!isPlain) return undefined
    return entries.map(([name, each]) => ({
      name,
      type: each.enum ? "choice" : (each.type ?? "string"),
      about: each.description ?? "",
      choices: each.enum ?? [],
      isRequired: schema.required?.includes(name) ?? false,
    }))
  } catch {
    return undefined
  }
}

function isField(property: Property): boolean {
  const isKnown = Object.keys(property).every((word) => KNOWN_OF_FIELDS.includes(word))
  return isKnown && (property.enum?.every((each) => typeof each === "string") ?? TYPES.some(({ value }) => value === property.type))
}

function schemaOf(fields: FormField[]): string {
  const properties = fields.map(({ name, type, about, choices }): [string, Property] => [
    name,
    { ...(type === "choice" ? { type: "string", enum: choices } : { type }), ...(about && { description: about }) },
  ])
  const required = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name)
  return pretty({ type: "object", properties: Object.fromEntries(properties), ...(required.length && { required }) })
}
