// A decision is written and tried: each problem stands at its cell, and what is done is deployed as a version.

import { useEffect, useMemo, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Refused, send } from "../../bus"
import { isObject } from "../../exact_json"
import { go, to } from "../../router"
import { may } from "../../session"
import type { Schemas } from "../../types"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Code, pretty } from "../../ui/code"
import { Field, Input, Select, TextArea } from "../../ui/field"
import { JsonArea, readJson } from "../../ui/json_area"
import { Page } from "../../ui/page"
import { Refusal } from "../../ui/refusal"
import { Failed, Loading } from "../../ui/states"
import { Tabs } from "../../ui/tabs"
import { toast } from "../../ui/toast"
import { LateText } from "../../modeler/fields"
import { problemOfId } from "../../modeler/ids"
import { ComparedDecisions } from "../comparison/decisions"
import { comparedId } from "../comparison/versions"
import { useChecked, type Found } from "../modeler/check"
import { useDraft, type Writing } from "../modeler/draft"
import { Problems } from "../modeler/problems"
import { SourceEditor } from "../modeler/source"
import { BLANK, changed, changes, decisionsIn, identified, isReadable, isTaken, nameIn, type Decision } from "./model"
import { DecisionTable, type Trial } from "./table"
import { isGiven, variablesOf } from "./trial"

type Detail = Schemas["DecisionDetailView"]
type Change = Parameters<typeof changed>[1]

const MANY = 200

/** The screen of a decision; `new` is one that is not deployed yet. */
export function DecisionScreen({ id }: { id: string }) {
  const asked = useAsk(id === "new" ? null : { $type: "GetDecisionDefinitionByIdQuery", id: Number(id) })
  const first = asked.data && decisionsIn(asked.data.dmnXml)[0]?.id
  const beside = useAsk(first && first !== asked.data?.key ? { $type: "GetDecisionDefinitionListQuery", key: first, pageSize: MANY } : null)
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (id !== "new" && (!asked.data || (first && first !== asked.data.key && !beside.data))) return <Loading rows={10} />
  const version = beside.data?.items.find((each) => each.createdAt === asked.data?.createdAt)?.version ?? asked.data?.version ?? 0
  return <Editor key={id} place={`decisions/${id}`} detail={asked.data} version={version} />
}

interface EditorProps {
  place: string
  detail: Detail | undefined
  /** The version of the file's first decision. */
  version: number
}

function Editor({ place, detail, version }: EditorProps) {
  const saved = useMemo(() => ({ xml: identified(detail?.dmnXml ?? BLANK), version }), [detail])
  const writing = useDraft(place, saved)
  const { draft, isChanged, write, forget } = writing
  const [view, setView] = useState<"table" | "source" | "compare">(comparedId() ? "compare" : "table")
  const [chosen, choose] = useState(detail?.key)
  const [values, setValues] = useState<Record<string, string>>({})
  const [further, setFurther] = useState("")
  const [trial, setTrial] = useState<Trial>()
  const decisions = useMemo(() => decisionsIn(draft.xml), [draft.xml])
  const decision = decisions.find((each) => each.id === chosen) ?? decisions[0]
  const variables = variablesOf(decision?.table, values, readJson(further).value ?? {})
  const isTried = Object.keys(variables).length > 0
  const message = { $type: "CheckDecisionDefinitionCommand", dmnXml: draft.xml, ...(isTried && decision && { key: decision.id, variables }) } as const
  const mayWrite = may("processes:write")
  const found = useChecked(mayWrite ? message : null, async (asked) => {
    const checked = await send(asked)
    setTrial(checked.trial ?? undefined)
    return checked.problems
  })
  const rename = (wanted: string) => {
    if (!decision || wanted === decision.id) return undefined
    const problem = problemOfId(wanted, (each) => isTaken(draft.xml, each))
    if (problem) return problem
    write((xml) => changed(xml, changes.rename(decision.id, wanted)))
    choose(wanted)
    return undefined
  }
  return (
    <Page
      name={decision?.name || "New decision"}
      title={
        <span class="row">
          <span>{decision?.name || decision?.id || "Decision"}</span>
          {isChanged && <Badge state="not deployed" tone="warn" />}
        </span>
      }
      back={{ label: "Decisions", address: "#/processes?list=decisions" }}
      about={detail && `Begins from version ${detail.version}; what is deployed becomes a new one.`}
      actions={
        mayWrite && (
          <>
            {isChanged && (
              <Button kind="quiet" onClick={forget}>
                {detail ? "Undo all changes" : "Begin anew"}
              </Button>
            )}
            <Deploy writing={writing} isNew={!detail} firstKey={decisions[0]?.id} savedKey={decisionsIn(saved.xml)[0]?.id} />
          </>
        )
      }
    >
      <Tabs
        label="Views of the file"
        value={view}
        onTab={setView}
        tabs={[
          { key: "table", label: "Table" },
          { key: "source", label: "XML" },
          ...(detail ? [{ key: "compare" as const, label: "Versions" }] : []),
        ]}
      />
      {view === "source" && <SourceEditor label="DMN" xml={draft.xml} onXml={(xml) => write(() => xml)} />}
      {view === "table" && !isReadable(draft.xml) && <p class="notice">The file can't be read; mend it as XML.</p>}
      {view === "table" && decision && (
        <fieldset class="card bare whole" disabled={!mayWrite}>
          <Head decision={decision} decisions={decisions} onChoose={choose} onRename={rename} onChange={(change) => write((xml) => changed(xml, change))} />
          <Logic
            decision={decision}
            found={found}
            trial={isTried ? trial : undefined}
            values={values}
            onValue={(column, text) => setValues((before) => ({ ...before, [column]: text }))}
            onChange={(change) => write((xml) => changed(xml, change))}
          />
          <Further decision={decision} text={further} onText={setFurther} trial={isTried ? trial : undefined} />
          {mayWrite && <Problems found={found} onElement={show} nameOf={(id) => nameIn(decision, id)} />}
        </fieldset>
      )}
      {view === "compare" && detail && <ComparedDecisions decision={detail} />}
      {view === "source" && mayWrite && (
        <section class="card">
          <Problems found={found} />
        </section>
      )}
    </Page>
  )
}

/** Leads to the cell that a problem is about. */
function show(place: string): void {
  document.querySelector<HTMLElement>(`[data-place="${CSS.escape(place)}"] textarea`)?.focus()
}

interface DeployProps {
  writing: Writing
  isNew: boolean
  firstKey: string | undefined
  savedKey: string | undefined
}

function Deploy({ writing: { draft, isChanged, settle }, isNew, firstKey, savedKey }: DeployProps) {
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  useEffect(() => setRefused(undefined), [draft.xml])
  const deploy = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      const afterVersion = firstKey === savedKey ? draft.version : 0
      const [first] = await send({ $type: "CreateDecisionDefinitionCommand", dmnXml: draft.xml, afterVersion })
      settle()
      toast(`Deployed as version ${first?.version}`)
      go(to(`decisions/${first?.id}`))
    } catch (error) {
      setRefused(Refused.of(error))
    } finally {
      setBusy(false)
    }
  }
  return (
    <>
      <Button kind="main" isBusy={isBusy} disabled={!isNew && !isChanged} onClick={() => void deploy()}>
        Deploy
      </Button>
      {refused && (
        <div class="notice">
          <Refusal refused={refused} />
        </div>
      )}
    </>
  )
}

const POLICIES = [
  { value: "UNIQUE", label: "UNIQUE: one rule matches" },
  { value: "FIRST", label: "FIRST: the first that matches" },
  { value: "ANY", label: "ANY: all that match agree" },
  { value: "PRIORITY", label: "PRIORITY: the most important" },
  { value: "COLLECT", label: "COLLECT: all, in any order" },
  { value: "RULE ORDER", label: "RULE ORDER: all, as they stand" },
  { value: "OUTPUT ORDER", label: "OUTPUT ORDER: all, by importance" },
]
const AGGREGATIONS = ["", "SUM", "MIN", "MAX", "COUNT"].map((value) => ({ value, label: value || "as a list" }))

interface HeadProps {
  decision: Decision
  decisions: Decision[]
  onChoose: (id: string) => void
  onRename: (id: string) => string | undefined
  onChange: (change: Change) => void
}

function Head({ decision, decisions, onChoose, onRename, onChange }: HeadProps) {
  const { id, name, table } = decision
  return (
    <div class="card-body pair">
      {decisions.length > 1 && (
        <Field label="Decision">
          {(own) => <Select {...own} value={id} choices={decisions.map((each) => ({ value: each.id, label: each.name || each.id }))} onChoice={onChoose} />}
        </Field>
      )}
      <Field label="Name">{(own) => <Input {...own} value={name} onText={(text) => onChange(changes.attribute(id, "name", text))} />}</Field>
      <LateText label="Id" isRequired help="By which business rule tasks name it." value={id} onText={onRename} />
      {table && (
        <Field label="Which rules count">
          {(own) => (
            <Select
              {...own}
              value={table.policy}
              choices={POLICIES}
              onChoice={(policy) => onChange((find, document) => [changes.attribute(table.id, "hitPolicy", policy), changes.attribute(table.id, "aggregation", "")].forEach((each) => each(find, document)))}
            />
          )}
        </Field>
      )}
      {table?.policy === "COLLECT" && (
        <Field label="Comes to">
          {(own) => <Select {...own} value={table.aggregation} choices={AGGREGATIONS} onChoice={(value) => onChange(changes.attribute(table.id, "aggregation", value))} />}
        </Field>
      )}
    </div>
  )
}

interface LogicProps {
  decision: Decision
  found: Found
  trial: Trial | undefined
  values: Record<string, string>
  onValue: (column: string, text: string) => void
  onChange: (change: Change) => void
}

function Logic({ decision, found, onChange, ...trying }: LogicProps) {
  const { table, expression } = decision
  const problems = Object.fromEntries(found.problems.map(({ elementId, message }) => [elementId, message]))
  if (table) {
    return (
      <>
        <DecisionTable table={table} problems={problems} onChange={onChange} {...trying} />
        <div class="card-body row">
          <Button icon="plus" onClick={() => onChange(changes.addRule(table.id))}>
            Add a rule
          </Button>
          <p class="help">
            Texts stand in quotes, as in <code>"review"</code>; a word without them is a variable.
          </p>
        </div>
      </>
    )
  }
  if (expression) {
    return (
      <div class="card-body">
        <Field label="Expression" help="FEEL" problem={problems[expression.id]}>
          {(own) => <TextArea {...own} spellcheck={false} value={expression.text} onText={(text) => onChange(changes.cell(expression.id, text))} />}
        </Field>
      </div>
    )
  }
  return <p class="card-body muted">This decision is neither a table nor one expression; it is written as XML.</p>
}

interface FurtherProps {
  decision: Decision
  text: string
  trial: Trial | undefined
  onText: (text: string) => void
}

/** Variables that no cell of the trial row takes, and a result that no cell shows. */
function Further({ decision: { table }, text, trial, onText }: FurtherProps) {
  const isNeeded = !table || table.inputs.some((column) => !isGiven(column))
  const isLong = Array.isArray(trial?.result) || (!table && isObject(trial?.result))
  return (
    <details class="section" open={isNeeded}>
      <summary>Further variables to try it with</summary>
      <div class="stack">
        <Field label="Variables" help="JSON, such as what a process knows." problem={readJson(text).problem}>
          {(own) => <JsonArea {...own} value={text} onText={onText} placeholder='{"customer": {"age": 42}}' />}
        </Field>
        {trial && (isLong || !table) && <Code label="Result" text={trial.failure ?? pretty(trial.result)} />}
      </div>
    </details>
  )
}
