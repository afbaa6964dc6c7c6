// A decision table: rules in rows, what they test and what they give in columns, and a row to try it.

import type { ComponentChildren } from "preact"
import { isObject } from "../../exact_json"
import type { Schemas } from "../../types"
import { IconButton } from "../../ui/button"
import { pretty } from "../../ui/code"
import { changes, type Cell, type Column, type Rule, type Table } from "./model"
import { isGiven } from "./trial"

export type Trial = Schemas["DecisionTrialView"]
type Change = ReturnType<(typeof changes)["cell"]>

const TYPES = ["", "string", "number", "boolean", "date", "time", "date and time", "days and time duration", "Any"]

interface Props {
  table: Table
  problems: Record<string, string>
  trial: Trial | undefined
  values: Record<string, string>
  onValue: (column: string, text: string) => void
  onChange: (change: Change) => void
}

export function DecisionTable(props: Props) {
  const { table, onChange } = props
  return (
    <div class="table-frame" tabIndex={0} role="region" aria-label="Decision table">
      <table class="decision">
        <thead>
          <tr>
            <th scope="col" rowSpan={2}>
              <span class="visually-hidden">Rule</span>
            </th>
            <Group label="When" count={table.inputs.length} onAdd={() => onChange(changes.addInput(table.id))} what="Add an input" />
            <Group label="Then" count={table.outputs.length} onAdd={() => onChange(changes.addOutput(table.id))} what="Add an output" />
            <th scope="col" rowSpan={2}>
              Note
            </th>
            <th scope="col" rowSpan={2}>
              <span class="visually-hidden">Order</span>
            </th>
          </tr>
          <tr>
            {table.inputs.map((column, at) => (
              <InputHead key={column.id} column={column} number={at + 1} {...props} />
            ))}
            {table.outputs.map((column, at) => (
              <OutputHead key={column.id} column={column} number={at + 1} {...props} />
            ))}
          </tr>
        </thead>
        <tbody>
          <TrialRow {...props} />
          {table.rules.map((rule, at) => (
            <RuleRow key={rule.id} rule={rule} number={at + 1} match={matchOf(props, at + 1)} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  )
}

function Group({ label, count, what, onAdd }: { label: string; count: number; what: string; onAdd: () => void }) {
  return (
    <th scope="colgroup" colSpan={Math.max(count, 1)} class={label.toLowerCase()}>
      <span class="row keep">
        {label}
        <IconButton label={what} icon="plus" onClick={onAdd} />
      </span>
    </th>
  )
}

interface HeadProps extends Props {
  column: Column
  number: number
}

function InputHead({ column, number, table, problems, onChange }: HeadProps) {
  const name = `input ${number}`
  return (
    <Head column={column} name={name} problems={problems} canGo={table.inputs.length > 1} onChange={onChange} onType={(type) => changes.sourceType(column.id, type)}>
      <Entry label={`Label of ${name}`} placeholder="label" text={column.label} onText={(text) => onChange(changes.attribute(column.id, "label", text))} />
      <Entry label={`What ${name} looks at`} placeholder="expression" isCode text={column.text} problem={problemOf(column, problems)} onText={(text) => onChange(changes.source(column.id, text))} />
    </Head>
  )
}

function OutputHead({ column, number, table, problems, onChange }: HeadProps) {
  const name = `output ${number}`
  return (
    <Head column={column} name={name} problems={problems} canGo={table.outputs.length > 1} onChange={onChange} onType={(type) => changes.attribute(column.id, "typeRef", type)}>
      <Entry label={`Label of ${name}`} placeholder="label" text={column.label} onText={(text) => onChange(changes.attribute(column.id, "label", text))} />
      <Entry label={`Name of ${name}`} placeholder="name" isCode text={column.text} problem={problemOf(column, problems)} onText={(text) => onChange(changes.attribute(column.id, "name", text))} />
    </Head>
  )
}

interface HeadShape {
  column: Column
  name: string
  problems: Record<string, string>
  canGo: boolean
  children: ComponentChildren
  onType: (type: string) => Change
  onChange: (change: Change) => void
}

function Head({ column, name, problems, canGo, children, onType, onChange }: HeadShape) {
  const problem = problemOf(column, problems)
  const types = TYPES.includes(column.type) ? TYPES : [...TYPES, column.type]
  return (
    <th scope="col" class={problem ? "is-wrong" : ""} title={problem} data-place={column.id}>
      {children}
      <span class="row keep">
        <select aria-label={`Type of ${name}`} value={column.type} onChange={(event) => onChange(onType(event.currentTarget.value))}>
          {types.map((type) => (
            <option key={type} value={type}>
              {type || "any type"}
            </option>
          ))}
        </select>
        {canGo && <IconButton label={`Remove ${name}`} icon="close" onClick={() => onChange(changes.removeColumn(column.id))} />}
      </span>
    </th>
  )
}

function problemOf({ places }: Column, problems: Record<string, string>): string | undefined {
  return places.map((place) => problems[place]).find(Boolean)
}

function TrialRow({ table, trial, values, onValue }: Props) {
  return (
    <tr class="trial">
      <th scope="row">Try</th>
      {table.inputs.map((column, at) => (
        <td key={column.id}>
          <Entry
            label={`Value for input ${at + 1}`}
            placeholder={isGiven(column) ? "a value" : "by variables"}
            isCode
            isDisabled={!isGiven(column)}
            text={values[column.id] ?? ""}
            onText={(text) => onValue(column.id, text)}
          />
        </td>
      ))}
      {table.outputs.map((column) => (
        <td key={column.id}>
          <output aria-label={`Result ${column.text}`}>{resultIn(trial, table, column)}</output>
        </td>
      ))}
      <td colSpan={2}>{trial?.failure && <span class="problem">{trial.failure}</span>}</td>
    </tr>
  )
}

/** Returns what a trial came to in a column, where that is one value. */
function resultIn(trial: Trial | undefined, { outputs }: Table, { text }: Column): string {
  const result: unknown = trial?.result
  if (result === null || result === undefined) return trial && !trial.failure ? "–" : ""
  if (outputs.length < 2 || !isObject(result)) return typeof result === "string" ? result : pretty(result)
  const value = result[text]
  return typeof value === "string" ? value : pretty(value ?? null)
}

/** Whether a rule matches what is tried, and whether it counts: of several, FIRST takes one. */
function matchOf({ table, trial }: Props, number: number): "matches" | "also" | undefined {
  if (!trial?.matched.includes(number)) return undefined
  return table.policy === "FIRST" && trial.matched[0] !== number ? "also" : "matches"
}

interface RowProps extends Props {
  rule: Rule
  number: number
  match: "matches" | "also" | undefined
}

function RuleRow({ rule, number, match, table, problems, onChange }: RowProps) {
  const cell = (each: Cell, label: string, placeholder: string) => (
    <td key={each.id} class={problems[each.id] ? "is-wrong" : ""} title={problems[each.id]} data-place={each.id}>
      <Entry label={`Rule ${number}, ${label}`} placeholder={placeholder} isCode text={each.text} problem={problems[each.id]} onText={(text) => onChange(changes.cell(each.id, text))} />
    </td>
  )
  const addBehind = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !event.ctrlKey) return
    event.preventDefault()
    onChange(changes.addRule(table.id, rule.id))
  }
  return (
    <tr class={match === "matches" ? "is-matched" : ""} onKeyDown={addBehind}>
      <th scope="row">
        {number}
        {match && <span class={match === "matches" ? "badge good" : "badge"}>{match}</span>}
      </th>
      {rule.inputs.map((each, at) => cell(each, `input ${at + 1}`, "any"))}
      {rule.outputs.map((each, at) => cell(each, `output ${at + 1}`, "null"))}
      <td>
        <Entry label={`Note of rule ${number}`} text={rule.note} onText={(text) => onChange(changes.note(rule.id, text))} />
      </td>
      <td class="order">
        <IconButton label={`Rule ${number} earlier`} icon="up" disabled={number === 1} onClick={() => onChange(changes.move(rule.id, -1))} />
        <IconButton label={`Rule ${number} later`} icon="down" disabled={number === table.rules.length} onClick={() => onChange(changes.move(rule.id, 1))} />
        <IconButton label={`Remove rule ${number}`} icon="close" onClick={() => onChange(changes.remove(rule.id))} />
      </td>
    </tr>
  )
}

interface EntryProps {
  label: string
  text: string
  placeholder?: string
  isCode?: boolean
  isDisabled?: boolean
  problem?: string | undefined
  onText: (text: string) => void
}

/** A field that looks like a cell until it is chosen. */
function Entry({ label, text, placeholder, isCode = false, isDisabled = false, problem, onText }: EntryProps) {
  return (
    <textarea
      class={isCode ? "entry mono" : "entry"}
      aria-label={label}
      aria-invalid={Boolean(problem)}
      rows={1}
      spellcheck={!isCode}
      disabled={isDisabled}
      placeholder={placeholder}
      value={text}
      onInput={(event) => onText(event.currentTarget.value)}
    ></textarea>
  )
}
