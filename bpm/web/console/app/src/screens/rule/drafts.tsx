// Drafts of rules: the notice that one waits, what it says about itself, and what is done with it.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { send } from "../../bus"
import { go, to } from "../../router"
import type { Schemas } from "../../types"
import { Button } from "../../ui/button"
import { Confirm } from "../../ui/confirm"
import { Field, TextArea } from "../../ui/field"
import { Time } from "../../ui/time"
import { configOf, fieldsOf, type Fields, type Rule } from "./draft"
import { Differences } from "./history"

export type Draft = Schemas["WebHookDraftView"]

/** Returns what stands in the form of a draft. */
export function fieldsOfDraft(draft: Draft): Fields {
  return { ...(draft.definition as unknown as Fields), key: draft.key }
}

/** Says on the page of a rule that drafts of it wait. */
export function WaitingDrafts({ rule }: { rule: Rule }) {
  const asked = useAsk({ $type: "GetWebHookDraftListQuery", configId: rule.id, pageSize: 5 })
  return (
    <>
      {asked.data?.items.map((draft) => (
        <p key={draft.id} class="notice calm">
          <a href={to(`drafts/${draft.id}`)}>A draft by {draft.author} waits</a>
          <span>{draft.comment}</span>
        </p>
      ))}
    </>
  )
}

/** What a draft says about itself, and what keeps it from being published. */
export function AboutDraft({ draft, isChanged }: { draft: Draft; isChanged: boolean }) {
  const { problems = [], newSecrets = [] } = draft
  const isStale = draft.configId !== null && draft.liveRevision !== draft.baseRevision
  return (
    <>
      {draft.comment && <blockquote class="comment">{draft.comment}</blockquote>}
      {draft.configId !== null && draft.liveRevision === null && <p class="notice">The rule was deleted. Discard this draft, or create the rule anew.</p>}
      {isStale && draft.liveRevision !== null && (
        <p class="notice">
          The rule was changed since this draft was begun: revision {draft.liveRevision} is live, and it starts from {draft.baseRevision}. Look at the changes, then save it again.
        </p>
      )}
      {newSecrets.length > 0 && <p class="notice calm">It brings secrets of its own: {newSecrets.join(", ")}.</p>}
      {problems.length > 0 && !isChanged && <p class="notice">It can't be published as it is: {problems.join(" · ")}</p>}
      {draft.whyNot && <p class="notice calm">Publishing it is for somebody else: {draft.whyNot}.</p>}
    </>
  )
}

/** What the draft in the form would change of what is live. */
export function DraftChanges({ rule, fields }: { rule: Rule | undefined; fields: Fields }) {
  return <Differences label="Changes to what is live" before={rule ? configOf(fieldsOf(rule)) : {}} after={configOf(fields)} same="It is what is live." />
}

interface SaveProps {
  rule: Rule | undefined
  fields: Fields
  onClose: () => void
  onKept: () => void
}

/** Asks for a comment, and keeps what stands in the form as a draft. */
export function SaveAsDraft({ rule, fields, onClose, onKept }: SaveProps) {
  const [comment, setComment] = useState("")
  const [id, setId] = useState<number>()
  const save = async () => {
    const { key, ...config } = fields
    const about = rule ? { configId: rule.id, revision: rule.revision } : { key }
    const kept = await send({ $type: "CreateWebHookDraftCommand", ...config, ...about, comment })
    setId(kept.id)
    onKept()
    go(to(`drafts/${kept.id}`))
    return "Kept as a draft"
  }
  return (
    <Confirm title="Keep this as a draft?" action="Save the draft" isReady={id === undefined} onAct={save} onClose={onClose} onDone={() => undefined}>
      <p>Nothing changes for what comes in until somebody publishes it.</p>
      <Field label="What it is for" help="Reviewers and the history of the rule are told.">
        {(own) => <TextArea {...own} class="control prose" rows={2} maxLength={1000} value={comment} onText={setComment} />}
      </Field>
    </Confirm>
  )
}

interface ActionsProps {
  draft: Draft
  fields: Fields
  isChanged: boolean
  /** The revision of the draft that the fields began from. */
  revision: number
  onSaved: () => void
  onRefused: (error: unknown) => void
}

export function DraftActions({ draft, fields, isChanged, revision, onSaved, onRefused }: ActionsProps) {
  const [asking, ask] = useState<"discard" | "publish">()
  const [isBusy, setBusy] = useState(false)
  const isStale = draft.configId !== null && draft.liveRevision !== draft.baseRevision
  const save = async () => {
    setBusy(true)
    try {
      const base = draft.liveRevision === null ? {} : { baseRevision: draft.liveRevision }
      await send({ $type: "UpdateWebHookDraftCommand", ...configOf(fields), id: draft.id, revision, comment: draft.comment, ...base })
      onSaved()
    } catch (error) {
      onRefused(error)
    } finally {
      setBusy(false)
    }
  }
  const publish = async () => {
    const live = await send({ $type: "PublishWebHookDraftCommand", id: draft.id, revision: draft.revision })
    go(to(`rules/${live.id}`))
    return `Published; it answers at /${live.path}`
  }
  const discard = async () => {
    await send({ $type: "DiscardWebHookDraftCommand", id: draft.id })
    go(draft.configId === null ? "#/rules?list=drafts" : to(`rules/${draft.configId}`))
    return "Discarded"
  }
  return (
    <>
      <Button kind="danger" onClick={() => ask("discard")}>
        Discard
      </Button>
      {(isChanged || isStale) && (
        <Button isBusy={isBusy} onClick={() => void save()}>
          Save the draft
        </Button>
      )}
      <Button kind="main" disabled={isChanged || isStale || draft.whyNot !== null} onClick={() => ask("publish")}>
        Publish
      </Button>
      {asking === "publish" && (
        <Confirm title="Publish this draft?" action="Publish" onAct={publish} onClose={() => ask(undefined)} onDone={() => undefined}>
          <p>It is live at once, and acts for {draft.author} and for you: what it does, both of you must be allowed to do.</p>
        </Confirm>
      )}
      {asking === "discard" && (
        <Confirm title="Discard this draft?" action="Discard" isDanger onAct={discard} onClose={() => ask(undefined)} onDone={() => undefined}>
          <p>What was written is lost. {draft.configId === null ? "No rule was made of it." : "The rule stays as it is."}</p>
        </Confirm>
      )}
    </>
  )
}

export function SavedBy({ draft }: { draft: Draft }) {
  return (
    <>
      {draft.configId === null ? "A new rule" : `Changes to revision ${draft.baseRevision}`}, saved by {draft.author} <Time at={draft.updatedAt} />
    </>
  )
}
