// One rule or a draft of one: written, tried on what was captured, compared with what was done, and published.

import { useEffect, useMemo, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Refused, send } from "../../bus"
import { catalogue, needCatalogue } from "../../catalogue"
import { stringify } from "../../exact_json"
import { problemsBy } from "../../forms/problems"
import type { Schema } from "../../forms/schema"
import { keep, recall } from "../../kept"
import { go, to } from "../../router"
import { may } from "../../session"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { copy } from "../../ui/code"
import { Page } from "../../ui/page"
import { Refusal } from "../../ui/refusal"
import { Failed, Loading } from "../../ui/states"
import { Time } from "../../ui/time"
import { toast } from "../../ui/toast"
import { Actions } from "./actions"
import { Basics } from "./basics"
import { blank, changed, configOf, fieldsOf, type Fields, type Rule, type Subject, type Writing } from "./draft"
import { AboutDraft, DraftActions, fieldsOfDraft, SaveAsDraft, SavedBy, WaitingDrafts, type Draft } from "./drafts"
import { Further } from "./further"
import { Proof } from "./proof"
import { Work } from "./work"

/** The screen of one rule; `new` is one that is not there yet. */
export function RuleScreen({ id }: { id: string }) {
  const asked = useAsk(id === "new" ? null : { $type: "GetWebHookConfigByIdQuery", id: Number(id) })
  const schema = useSchema()
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (!schema || (id !== "new" && !asked.data)) return <Loading rows={10} />
  return <RuleForm key={asked.data?.revision} id={id} rule={asked.data} schema={schema} onSaved={asked.again} />
}

/** The screen of a draft, beside what is live of its rule. */
export function DraftScreen({ id }: { id: string }) {
  const asked = useAsk({ $type: "GetWebHookDraftByIdQuery", id: Number(id) })
  const draft = asked.data
  const live = useAsk(draft?.configId && draft.liveRevision !== null ? { $type: "GetWebHookConfigByIdQuery", id: draft.configId } : null)
  const schema = useSchema()
  if (asked.error && !draft) return <Failed error={asked.error} onAgain={asked.again} />
  if (!schema || !draft || (draft.configId !== null && draft.liveRevision !== null && !live.data)) return <Loading rows={10} />
  return <RuleForm key={`${draft.revision}.${draft.baseRevision}`} id={`draft-${id}`} rule={live.data} draft={draft} schema={schema} onSaved={asked.again} />
}

function useSchema(): Schema | undefined {
  useEffect(needCatalogue, [])
  return catalogue.value?.find((entry) => entry.type === "CreateWebHookConfigCommand")?.request as Schema | undefined
}

interface Props {
  id: string
  rule: Rule | undefined
  draft?: Draft
  schema: Schema
  onSaved: () => void
}

function RuleForm({ id, rule, draft, schema, onSaved }: Props) {
  const saved = useMemo(() => (draft ? fieldsOfDraft(draft) : rule ? fieldsOf(rule) : blank()), [rule, draft])
  const place = `rules/${id}`
  const present = (draft ?? rule)?.revision
  const [kept] = useState(() => recall<Writing>(place))
  const [fields, setFields] = useState<Fields>(kept ? asSwitched(kept.fields, draft ? undefined : rule) : saved)
  const [base, setBase] = useState(kept ? kept.revision : present)
  const [sentences, setSentences] = useState<string[]>([])
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const [isKeeping, setKeeping] = useState(false)
  const [round, setRound] = useState(0)
  const [payload, setPayload] = useState<unknown>()
  const isReviewed = useAsk({ $type: "GetOwnOrganizationQuery" }).data?.features.ruleReview ?? false
  const isChanged = stringify(fields) !== stringify(saved)
  const problems = problemsBy(sentences)
  const [isUnlocked, unlock] = useState(false)
  const isOfFiles = Boolean(rule?.appliedAt) && !draft && !isUnlocked && !isChanged
  const mayWrite = may("webhooks:write")
  const subject: Subject = draft && !isChanged ? { draftId: draft.id } : { ...(rule && { id: rule.id }), config: configOf(fields) }

  const write = (next: Fields) => {
    setFields(next)
    keep(place, { fields: next, revision: base })
  }
  const replace = (next: Fields) => {
    setFields(next)
    keep(place, next === saved ? undefined : { fields: next, revision: base })
    if (next === saved) setBase(present)
    setRound(round + 1)
    setSentences([])
    setRefused(undefined)
  }
  /** What was written goes on from the revision that one's own switching makes. */
  const goOnAfterSwitch = () => {
    if (rule && isChanged && base === rule.revision) keep(place, { fields, revision: rule.revision + 1 })
  }
  const onChange = (changes: Partial<Record<keyof Fields, unknown>>) => write(changed(fields, changes))
  const refuse = (error: unknown) => {
    setRefused(Refused.of(error))
    setSentences(Refused.of(error).errors)
  }
  const publish = async () => {
    setBusy(true)
    setRefused(undefined)
    try {
      const done = rule
        ? await send({ $type: "UpdateWebHookConfigCommand", ...configOf(fields), id: rule.id, revision: base ?? rule.revision })
        : await send({ $type: "CreateWebHookConfigCommand", ...fields })
      keep(place, undefined)
      setSentences([])
      toast(rule ? "Published" : `Created; it answers at ${new URL(done.url).pathname}`)
      if (rule) onSaved()
      else go(to(`rules/${done.id}`))
    } catch (error) {
      refuse(error)
    } finally {
      setBusy(false)
    }
  }
  const name = draft ? `Draft of ${draft.key}` : (rule?.key ?? "New rule")

  return (
    <Page
      name={name}
      title={
        <span class="row">
          <span>{name}</span>
          {draft ? <Badge state="draft" tone="idle" /> : rule && <State rule={rule} />}
          {isChanged && <Badge state={draft ? "not saved" : rule ? "not published" : "not created"} tone="warn" />}
        </span>
      }
      back={draft ? { label: "Drafts", address: "#/rules?list=drafts" } : { label: "Rules", address: "#/rules" }}
      about={draft ? <SavedBy draft={draft} /> : rule && <Address rule={rule} />}
      actions={
        <>
          {isChanged && (rule || draft) && (
            <Button kind="quiet" onClick={() => replace(saved)}>
              Undo changes
            </Button>
          )}
          {rule && !draft && mayWrite && <Actions rule={rule} onSwitched={goOnAfterSwitch} onDone={onSaved} />}
          {draft && mayWrite && (
            <DraftActions draft={draft} fields={fields} isChanged={isChanged} revision={base ?? draft.revision} onSaved={() => (keep(place, undefined), onSaved())} onRefused={refuse} />
          )}
          {!draft && mayWrite && (
            <Button kind={isReviewed ? "main" : "plain"} disabled={Boolean(rule) && !isChanged} onClick={() => setKeeping(true)}>
              Save as draft
            </Button>
          )}
          {!draft && mayWrite && !isReviewed && (
            <Button kind="main" isBusy={isBusy} disabled={Boolean(rule) && !isChanged} onClick={() => void publish()}>
              {rule ? "Publish" : "Create the rule"}
            </Button>
          )}
        </>
      }
    >
      {refused && (
        <div class="notice">
          <Refusal refused={refused} />
        </div>
      )}
      {isChanged && base !== present && <Overtaken base={base} present={present} onGoOn={() => setBase(present)} />}
      {draft && <AboutDraft draft={draft} isChanged={isChanged} />}
      {!draft && isReviewed && mayWrite && <p class="notice calm">In this organisation somebody else publishes what you change: save it as a draft.</p>}
      {rule?.appliedAt && isOfFiles && <OfFiles at={rule.appliedAt} onEdit={mayWrite ? () => unlock(true) : undefined} />}
      {rule && !draft && <WaitingDrafts rule={rule} />}
      {!draft &&
        rule?.warnings?.map((warning) => (
          <p key={warning} class="notice calm">
            {warning}
          </p>
        ))}
      <div class="columns wide-left">
        <form key={round} class="stack" noValidate onSubmit={(event) => event.preventDefault()}>
          <fieldset class="bare stack" disabled={!mayWrite || isOfFiles}>
            <Basics isNew={!rule && !draft} fields={fields} problems={problems} onChange={onChange} />
            <Work fields={fields} problems={problems} shape={{ payload }} onChange={onChange} onFields={write} />
            <Further schema={schema} fields={fields} problems={problems} onFields={write} />
          </fieldset>
        </form>
        <Proof
          rule={rule}
          isDraft={draft !== undefined}
          isReviewed={isReviewed}
          fields={fields}
          subject={subject}
          onPayload={setPayload}
          onProblems={setSentences}
          onTake={(taken) => replace(asSwitched(taken, draft ? undefined : rule))}
          onSaved={onSaved}
        />
      </div>
      {isKeeping && <SaveAsDraft rule={rule} fields={fields} onClose={() => setKeeping(false)} onKept={() => keep(place, undefined)} />}
    </Page>
  )
}

/** Returns what was written, on or off as the rule is: no field of the form says it, so publishing must not change it. */
function asSwitched(written: Fields, rule: Rule | undefined): Fields {
  return rule ? { ...written, isEnabled: rule.isEnabled } : written
}

export function State({ rule }: { rule: Rule }) {
  if (rule.isPaused) return <Badge state="paused" tone="warn" />
  return <Badge state={rule.isEnabled ? "on" : "off"} />
}

/** Says that what is being written began from what is not the newest any more. */
function Overtaken({ base, present, onGoOn }: { base: number | undefined; present: number | undefined; onGoOn: () => void }) {
  return (
    <div class="notice" role="alert">
      <span>
        You began from revision {base}, and somebody has saved revision {present} meanwhile. See under <em>History</em> what it changed; what you publish takes its place.
      </span>
      <Button onClick={onGoOn}>Go on with mine</Button>
    </div>
  )
}

/** Says that a rule is kept as files, which the next application would make of it again. */
function OfFiles({ at, onEdit }: { at: string; onEdit: (() => void) | undefined }) {
  return (
    <div class="notice calm">
      <span>
        This rule is kept as files, which were applied <Time at={at} />. Change it there: what is changed here lasts until they are applied again.
      </span>
      {onEdit && <Button onClick={onEdit}>Change it here all the same</Button>}
    </div>
  )
}

function Address({ rule }: { rule: Rule }) {
  return (
    <>
      Revision {rule.revision} by {rule.author}. Answers {rule.action} at{" "}
      <button type="button" class="link mono" title="Copy the address" onClick={() => void copy(rule.url)}>
        {rule.url}
      </button>
    </>
  )
}
