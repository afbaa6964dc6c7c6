// One rule: written, tried on what was captured, compared with what was done, and published.

import { useEffect, useMemo, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Refused, send } from "../../bus"
import { catalogue, needCatalogue } from "../../catalogue"
import { others, problemsBy } from "../../forms/problems"
import type { Schema } from "../../forms/schema"
import { go, place, to } from "../../router"
import { may } from "../../session"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { copy } from "../../ui/code"
import { Field, Input, Select, TextArea } from "../../ui/field"
import { Page } from "../../ui/page"
import { Refusal } from "../../ui/refusal"
import { Failed, Loading } from "../../ui/states"
import { Tabs } from "../../ui/tabs"
import { toast } from "../../ui/toast"
import { Actions } from "./actions"
import { BackTest } from "./backtest"
import { blank, changed, configOf, fieldsOf, keep, recall, type Fields, type Rule } from "./draft"
import { Further } from "./further"
import { History } from "./history"
import { TryIt } from "./trial"
import { Work } from "./work"

const METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const

/** The screen of one rule; `new` is one that is not there yet. */
export function RuleScreen({ id }: { id: string }) {
  useEffect(needCatalogue, [])
  const asked = useAsk(id === "new" ? null : { $type: "GetWebHookConfigByIdQuery", id: Number(id) })
  const schema = catalogue.value?.find((entry) => entry.type === "CreateWebHookConfigCommand")?.request as Schema | undefined
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!schema || (id !== "new" && !asked.data)) return <Loading rows={10} />
  return <RuleForm key={asked.data?.revision} id={id} rule={asked.data} schema={schema} onSaved={asked.again} />
}

interface Props {
  id: string
  rule: Rule | undefined
  schema: Schema
  onSaved: () => void
}

function RuleForm({ id, rule, schema, onSaved }: Props) {
  const saved = useMemo(() => (rule ? fieldsOf(rule) : blank()), [rule])
  const [fields, setFields] = useState<Fields>(() => recall(id) ?? saved)
  const [sentences, setSentences] = useState<string[]>([])
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const [round, setRound] = useState(0)
  const [payload, setPayload] = useState<unknown>()
  const isChanged = JSON.stringify(fields) !== JSON.stringify(saved)
  const problems = problemsBy(sentences)
  const mayWrite = may("webhooks:write")

  const write = (next: Fields) => {
    setFields(next)
    keep(id, next)
  }
  const replace = (next: Fields) => {
    setFields(next)
    keep(id, next === saved ? undefined : next)
    setRound(round + 1)
    setSentences([])
    setRefused(undefined)
  }
  const onChange = (changes: Partial<Record<keyof Fields, unknown>>) => write(changed(fields, changes))
  const publish = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      const done = rule
        ? await send({ $type: "UpdateWebHookConfigCommand", ...configOf(fields), id: rule.id, revision: rule.revision })
        : await send({ $type: "CreateWebHookConfigCommand", ...fields })
      keep(id, undefined)
      setSentences([])
      toast(rule ? "Published" : `Created; it answers at /${done.path}`)
      if (rule) onSaved()
      else go(to(`rules/${done.id}`))
    } catch (error) {
      setRefused(Refused.of(error))
      setSentences(Refused.of(error).errors)
    } finally {
      setBusy(false)
    }
  }
  const isShown = (field: string) => (field.split(".")[0] ?? "") in (schema.properties ?? {})

  return (
    <Page
      name={rule?.key ?? "New rule"}
      title={
        <span class="row">
          <span>{rule?.key ?? "New rule"}</span>
          {rule && <State rule={rule} />}
          {isChanged && <Badge state={rule ? "not published" : "not created"} tone="warn" />}
        </span>
      }
      back={{ label: "Rules", address: "#/rules" }}
      about={rule && <Address rule={rule} />}
      actions={
        <>
          {rule && mayWrite && <Actions rule={rule} onDone={onSaved} />}
          {isChanged && rule && (
            <Button kind="quiet" onClick={() => replace(saved)}>
              Undo changes
            </Button>
          )}
          {mayWrite && (
            <Button kind="main" isBusy={isBusy} disabled={Boolean(rule) && !isChanged} onClick={() => void publish()}>
              {rule ? "Publish" : "Create the rule"}
            </Button>
          )}
        </>
      }
    >
      {refused && (
        <div class="notice">
          <Refusal refused={refused} sentences={refused.status === 409 ? refused.errors : others(refused.errors, isShown)} />
        </div>
      )}
      {rule?.warnings?.map((warning) => (
        <p key={warning} class="notice calm">
          {warning}
        </p>
      ))}
      <div class="columns wide-left">
        <form key={round} class="stack" noValidate onSubmit={(event) => event.preventDefault()}>
          <fieldset class="bare stack" disabled={!mayWrite}>
            <Basics isNew={!rule} fields={fields} problems={problems} onChange={onChange} />
            <Work fields={fields} problems={problems} shape={{ payload }} onChange={onChange} onFields={write} />
            <Further schema={schema} fields={fields} problems={problems} onFields={write} />
          </fieldset>
        </form>
        <Proof rule={rule} fields={fields} onPayload={setPayload} onProblems={setSentences} onTake={replace} />
      </div>
    </Page>
  )
}

interface BasicsProps {
  isNew: boolean
  fields: Fields
  problems: Record<string, string>
  onChange: (changes: Partial<Record<keyof Fields, unknown>>) => void
}

function Basics({ isNew, fields, problems, onChange }: BasicsProps) {
  return (
    <section class="card">
      <h2>Where it answers</h2>
      <div class="card-body stack">
        {isNew && (
          <Field label="Key" isRequired help="Its name for ever: letters, digits, dots, underscores and dashes." problem={problems["key"]}>
            {(own) => <Input {...own} autofocus spellcheck={false} value={fields.key} onText={(key) => onChange({ key, ...(fields.path === fields.key && { path: key }) })} />}
          </Field>
        )}
        <div class="address">
          <Field label="Method" problem={problems["action"]}>
            {(own) => <Select {...own} value={fields.action} choices={METHODS} onChoice={(action) => onChange({ action })} />}
          </Field>
          <Field label="Path" isRequired help="Below /api/webhooks; {names} take parts of it, as in orders/{id}." problem={problems["path"]}>
            {(own) => <Input {...own} spellcheck={false} value={fields.path} onText={(path) => onChange({ path })} />}
          </Field>
        </div>
        <Field label="Description" isRequired problem={problems["description"]}>
          {(own) => <TextArea {...own} class="control prose" rows={1} value={fields.description} onText={(description) => onChange({ description })} />}
        </Field>
        {isNew && (
          <label class="checkbox">
            <input type="checkbox" checked={fields.isEnabled} onChange={(event) => onChange({ isEnabled: event.currentTarget.checked })} />
            It answers as soon as it is created
          </label>
        )}
      </div>
    </section>
  )
}

type ProofKind = "try" | "backtest" | "history"

interface ProofProps {
  rule: Rule | undefined
  fields: Fields
  onPayload: (payload: unknown) => void
  onProblems: (sentences: string[]) => void
  onTake: (fields: Fields) => void
}

/** What shows that the rule is right before it is live: a dry run, a back-test, and what it was before. */
function Proof({ rule, fields, onPayload, onProblems, onTake }: ProofProps) {
  const mayTry = may("webhooks:write")
  const [kind, setKind] = useState<ProofKind>(mayTry ? "try" : "history")
  const tabs: Array<{ key: ProofKind; label: string } | false> = [
    mayTry && { key: "try", label: "Try it" },
    mayTry && may("inbound:read") && { key: "backtest", label: "Back-test" },
    rule !== undefined && { key: "history", label: "History" },
  ]
  return (
    <section class="card proof" aria-label="Proof">
      <div class="card-head">
        <Tabs label="Proof" value={kind} onTab={setKind} tabs={tabs.filter((tab) => tab !== false)} />
      </div>
      <div class="card-body">
        <div hidden={kind !== "try"}>
          {mayTry && <TryIt id={rule?.id} fields={fields} wanted={place.value.filters["request"]} onPayload={onPayload} onProblems={onProblems} />}
        </div>
        {kind === "backtest" && <BackTest id={rule?.id} fields={fields} />}
        {kind === "history" && rule && <History id={rule.id} fields={fields} onTake={onTake} />}
      </div>
    </section>
  )
}

export function State({ rule }: { rule: Rule }) {
  if (rule.isPaused) return <Badge state="paused" tone="warn" />
  return <Badge state={rule.isEnabled ? "on" : "off"} />
}

function Address({ rule }: { rule: Rule }) {
  return (
    <>
      Answers {rule.action} at{" "}
      <button type="button" class="link mono" title="Copy the address" onClick={() => void copy(rule.url)}>
        {rule.url}
      </button>
      , revision {rule.revision} by {rule.author}
    </>
  )
}
