// Two versions of a decision, as they were deployed: which columns and rules differ.

import { useAsk } from "../../asking"
import type { Schemas } from "../../types"
import { Failed, Loading } from "../../ui/states"
import { Differences } from "./differences"
import { comparedId, VersionChoice } from "./versions"

const MANY = 100
/** So many versions can be compared with, the newest. */

export function ComparedDecisions({ decision }: { decision: Schemas["DecisionView"] }) {
  const versions = useAsk({ $type: "GetDecisionDefinitionListQuery", key: decision.key, pageSize: MANY, sortBy: "version" })
  const known = versions.data?.items ?? []
  const other = known.find((each) => each.id === comparedId())
  const [before, after] = other && other.version < decision.version ? [other, decision] : [decision, other]
  const asked = useAsk(before && after ? { $type: "CompareDecisionDefinitionsQuery", beforeId: before.id, afterId: after.id } : null)
  if (!versions.data) return versions.error ? <Failed error={versions.error} onAgain={versions.again} /> : <Loading rows={4} />
  if (known.length < 2) return <p class="muted">This is the only version so far.</p>
  return (
    <>
      <VersionChoice id={decision.id} versions={known} />
      {other && asked.error && !asked.data && <Failed error={asked.error} onAgain={asked.again} />}
      {other && asked.data && (
        <section class="card">
          <h2>
            From version {before.version} to {after?.version}
          </h2>
          <Differences found={asked.data} />
        </section>
      )}
    </>
  )
}
