// Everything else of a rule, in sections that are closed until they are needed; made from its schema.

import { SchemaFields } from "../../forms/schema_fields"
import { only, type Schema } from "../../forms/schema"
import type { Fields } from "./draft"

const SECTIONS = [
  { title: "Who may send", names: ["signature", "handshake", "allowableIPs", "rateLimit", "maxBodyBytes", "contentType"] },
  { title: "How it answers", names: ["responseMode", "response"] },
  { title: "Repetitions, retries and order", names: ["deduplication", "retry", "lane"] },
  { title: "When it counts", names: ["moreMethods", "when", "order", "expiresAt"] },
  { title: "How long its requests are kept", names: ["retentionDays"] },
  { title: "On whose behalf, and notes", names: ["runAs", "isolation", "labels", "metadata"] },
]

interface Props {
  schema: Schema
  fields: Fields
  problems: Record<string, string>
  onFields: (fields: Fields) => void
}

export function Further({ schema, fields, problems, onFields }: Props) {
  return (
    <section class="card">
      <h2>Further</h2>
      {SECTIONS.map(({ title, names: all }) => {
        const names = all.filter((name) => name !== "isolation" || fields.executionType === 2)
        const set = names.filter((name) => name in fields)
        const isWrong = Object.keys(problems).some((place) => names.includes(place.split(".")[0] ?? ""))
        return (
          <details key={title} class="section" open={isWrong}>
            <summary>
              <span>{title}</span>
              <span class={isWrong ? "problem" : "help"}>{isWrong ? "something is wrong here" : set.join(", ") || "as usual"}</span>
            </summary>
            <div class="stack">
              <SchemaFields
                schema={only(schema, names)}
                root={schema}
                value={fields as unknown as Record<string, unknown>}
                problems={problems}
                path=""
                onValue={(value) => onFields(value as unknown as Fields)}
              />
            </div>
          </details>
        )
      })}
    </section>
  )
}
