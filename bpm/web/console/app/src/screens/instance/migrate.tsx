// An instance goes on with another version of its process: which ones there are, and what would be missing.

import { useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { send } from "../../bus"
import { Confirm } from "../../ui/confirm"
import { Field, Select } from "../../ui/field"
import { Refusal } from "../../ui/refusal"
import type { Question } from "./actions"

export function Migrate({ instance, ...question }: Question) {
  const asked = useAsk({ $type: "GetProcessDefinitionListQuery", key: instance.processKey, sortBy: "version", pageSize: 200 })
  const others = (asked.data?.items ?? []).filter((each) => each.id !== instance.processDefinitionId && !each.isDraft)
  const [chosen, choose] = useState("")
  const target = others.find((each) => String(each.id) === chosen) ?? others[0]
  const migration = target ? ({ $type: "MigrateProcessInstancesCommand", instanceId: instance.instanceId, toDefinitionId: target.id } as const) : null
  const preview = useAsk(migration && { ...migration, preview: true })
  const { missing = [], begins = [], ends = [], notListening, problem } = preview.data?.instances[0] ?? {}
  const isSure = target !== undefined && preview.data !== undefined && !preview.isLoading && !preview.error && !missing.length && !notListening
  return (
    <Confirm
      title="Go on with another version"
      action={target ? `Migrate to version ${target.version}` : "Migrate"}
      isReady={isSure}
      {...question}
      onAct={async () => {
        if (migration) await send(migration)
        return "Migrated"
      }}
    >
      {asked.data && !others.length && <p class="notice">There is no other version of {instance.processKey}; deploy one.</p>}
      {others.length > 0 && (
        <Field label="Version">
          {(own) => (
            <Select
              {...own}
              value={String(target?.id ?? "")}
              choices={others.map((each) => ({ value: String(each.id), label: `${each.version}: ${each.name}` }))}
              onChoice={choose}
            />
          )}
        </Field>
      )}
      {preview.error && <Refusal refused={preview.error} />}
      {missing.length > 0 && <p class="notice">It stands on {missing.join(", ")}, which this version lacks.</p>}
      {notListening && <p class="notice">{problem || `${notListening} can't begin to listen.`}</p>}
      {begins.length > 0 && <p>{begins.join(", ")} will begin to listen.</p>}
      {ends.length > 0 && <p>{ends.join(", ")} will listen no longer.</p>}
      <p class="muted">What else it waits for stays as it is. From then on its steps act for you as well: they do nothing that you may not do.</p>
    </Confirm>
  )
}
