// Fields for every value that a message may hold, made from its JSON Schema.

import { useId, useState } from "preact/hooks"
import { numberOf, parse, stringify } from "../exact_json"
import { Button, IconButton } from "../ui/button"
import { pretty } from "../ui/code"
import { Field, Input, Select, TextArea } from "../ui/field"
import { isNullable, kindOf, limits, resolved, type Schema } from "./schema"

type Value = unknown
type Fields = Record<string, Value>

interface Props {
  name: string
  schema: Schema
  root: Schema
  value: Value
  isRequired: boolean
  problems: Record<string, string>
  path: string
  onValue: (value: Value) => void
}

interface Whole {
  value: Fields
  onValue: (value: Fields) => void
}

const LONG = 12
/** An object inside of another with more fields than this shows the first few, and those that are set. */
const FIRST = 4

/** The fields of an object; what is left out is not sent. */
export function SchemaFields(props: Omit<Props, "name" | "isRequired" | "value" | "onValue"> & Whole) {
  const { schema, value, onValue, path } = props
  const required = new Set(schema.required)
  const names = Object.entries(schema.properties ?? {}).filter(([name]) => name !== "$type")
  const sorted = names.sort(([one], [other]) => Number(required.has(other)) - Number(required.has(one)))
  const [begun] = useState(value) // what is filled in later stays where it is
  const isLong = path !== "" && sorted.length > LONG
  const isFolded = ([name]: [string, Schema], at: number) => isLong && at >= FIRST && !(name in begun)
  const folded = sorted.filter(isFolded)
  const fieldOf = ([name, each]: [string, Schema]) => (
    <SchemaField
      {...props}
      key={name}
      name={name}
      schema={each}
      path={path ? `${path}.${name}` : name}
      value={value[name]}
      isRequired={required.has(name)}
      onValue={(changed) => onValue(withField(value, name, changed))}
    />
  )
  return (
    <>
      {sorted.filter((each, at) => !isFolded(each, at)).map(fieldOf)}
      {folded.length > 0 && (
        <details open={folded.some(([name]) => Object.keys(props.problems).some((place) => place.startsWith(`${path}.${name}`)))}>
          <summary>{folded.length} further fields</summary>
          <div class="stack">{folded.map(fieldOf)}</div>
        </details>
      )}
    </>
  )
}

function withField(fields: Fields, name: string, value: Value): Fields {
  const { [name]: _, ...others } = fields
  return value === undefined ? others : { ...others, [name]: value }
}

function SchemaField(props: Props) {
  const { schema, root, value } = props
  const plain = resolved(schema, root)
  switch (kindOf(schema, root)) {
    case "object":
      return <ObjectField {...props} schema={plain} nullable={isNullable(schema)} value={value as Fields | undefined} />
    case "objects":
      return <ListField {...props} schema={plain} value={(value as Fields[] | undefined) ?? []} />
    default:
      return <PlainField {...props} schema={{ ...plain, ...(schema.default !== undefined && { default: schema.default }) }} />
  }
}

function ObjectField(props: Props & { nullable: boolean; value: Fields | undefined }) {
  const { name, value, onValue, isRequired } = props
  if (value === undefined && !isRequired) {
    return (
      <div>
        <Button icon="plus" onClick={() => onValue({})}>
          {name}
        </Button>
      </div>
    )
  }
  return (
    <fieldset>
      <legend class="row">
        {name}
        {!isRequired && <IconButton label={`Leave ${name} out`} icon="close" onClick={() => onValue(undefined)} />}
      </legend>
      <SchemaFields {...props} value={value ?? {}} onValue={onValue} />
    </fieldset>
  )
}

function ListField(props: Props & { value: Fields[] }) {
  const { name, schema, root, value, onValue, path } = props
  const items = resolved(schema.items ?? {}, root)
  const replace = (index: number, changed: Fields[]) => onValue([...value.slice(0, index), ...changed, ...value.slice(index + 1)])
  return (
    <fieldset>
      <legend>{name}</legend>
      {value.map((item, index) => (
        <fieldset key={index}>
          <legend class="row">
            {index + 1}
            <IconButton label={`Remove ${index + 1} of ${name}`} icon="close" onClick={() => replace(index, [])} />
          </legend>
          <SchemaFields
            {...props}
            schema={items}
            path={`${path}.${index}`}
            value={item}
            onValue={(changed) => replace(index, [changed])}
          />
        </fieldset>
      ))}
      <div>
        <Button icon="plus" onClick={() => onValue([...value, {}])}>
          one more
        </Button>
      </div>
    </fieldset>
  )
}

function PlainField({ name, schema, root, value, isRequired, problems, path, onValue }: Props) {
  const kind = kindOf(schema, root)
  const help = [schema.description, limits(schema)].filter(Boolean).join(" · ")
  const write = (text: string) => onValue(text === "" ? undefined : text)
  return (
    <Field label={name} help={help} isRequired={isRequired} problem={problems[path]}>
      {(own) => {
        switch (kind) {
          case "choice":
            return (
              <Select
                {...own}
                value={value === undefined ? "" : stringify(value)}
                choices={[
                  { value: "", label: "–" },
                  ...(schema.enum ?? []).map((each) => ({ value: stringify(each), label: String(each) })),
                ]}
                onChoice={(text) => onValue(text === "" ? undefined : parse(text))}
              />
            )
          case "boolean":
            return (
              <Select
                {...own}
                value={value === undefined ? "" : String(value)}
                choices={[{ value: "", label: "–" }, { value: "true", label: "yes" }, { value: "false", label: "no" }]}
                onChoice={(text) => onValue(text === "" ? undefined : text === "true")}
              />
            )
          case "number":
            return (
              <Input
                {...own}
                inputMode="decimal"
                value={value === undefined ? "" : String(value)}
                onText={(text) => onValue(text === "" ? undefined : numberOr(text))}
              />
            )
          case "long":
            return <TextArea {...own} rows={3} spellcheck={false} value={String(value ?? "")} onText={write} />
          case "texts":
            return <LinesInput own={own} value={value as string[] | undefined} onValue={onValue} />
          case "json":
            return <JsonInput own={own} value={value} onValue={onValue} />
          default:
            return <SuggestedInput own={own} suggestions={schema.examples} value={String(value ?? "")} onText={write} />
        }
      }}
    </Field>
  )
}

/** A text, with those offered that the schema has as examples. */
function SuggestedInput({ own, suggestions = [], value, onText }: { own: object; suggestions: unknown[] | undefined; value: string; onText: (text: string) => void }) {
  const list = useId()
  const isOffered = suggestions.length > 1
  return (
    <>
      <Input {...own} list={list} spellcheck={false} value={value} onText={onText} />
      {isOffered && (
        <datalist id={list}>
          {suggestions.map((each) => (
            <option key={String(each)} value={String(each)} />
          ))}
        </datalist>
      )}
    </>
  )
}

/** Keeps what is no number as it was typed, so that the server says what is wrong with it. */
function numberOr(text: string): unknown {
  return numberOf(text) ?? text
}

/** Texts, one a line; empty lines stand in the field and are not sent. */
function LinesInput({ own, value, onValue }: { own: object; value: string[] | undefined; onValue: (value: Value) => void }) {
  const [text, setText] = useState("")
  const present = (value ?? []).join("\n")
  const change = (changed: string) => {
    setText(changed)
    const lines = linesOf(changed)
    onValue(lines.length ? lines : undefined)
  }
  const shown = linesOf(text).join("\n") === present ? text : present
  return <TextArea {...own} rows={3} spellcheck={false} placeholder="one a line" value={shown} onText={change} />
}

function linesOf(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "")
}

/** JSON where anything may stand; what is not JSON is sent as text. */
function JsonInput({ own, value, onValue }: { own: object; value: Value; onValue: (value: Value) => void }) {
  const [text, setText] = useState(value === undefined ? "" : pretty(value))
  const change = (changed: string) => {
    setText(changed)
    try {
      onValue(changed.trim() === "" ? undefined : parse(changed))
    } catch {
      onValue(changed)
    }
  }
  return <TextArea {...own} rows={2} spellcheck={false} placeholder="JSON, or text" value={text} onText={change} />
}
