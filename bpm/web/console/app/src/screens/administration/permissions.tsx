// What somebody may do, by area: only what one may do oneself can be given on.

import { useEffect } from "preact/hooks"
import { catalogue, needCatalogue } from "../../catalogue"
import { may } from "../../session"

const KINDS = ["read", "write"]

export function Permissions({ chosen, onChoice }: { chosen: string[]; onChoice: (permissions: string[]) => void }) {
  useEffect(needCatalogue, [])
  const known = new Set(catalogue.value?.flatMap((entry) => entry.permission ?? []).filter(may))
  const areas = [...new Set([...known].map((permission) => permission.split(":")[0] ?? ""))].sort()
  const toggle = (permission: string) => onChoice(chosen.includes(permission) ? chosen.filter((each) => each !== permission) : [...chosen, permission])
  return (
    <fieldset class="permissions">
      <legend>It may</legend>
      {areas.map((area) => (
        <div key={area} class="row">
          <span>{area}</span>
          {KINDS.map((kind) => {
            const permission = `${area}:${kind}`
            return known.has(permission) ? (
              <label key={kind} class="checkbox">
                <input type="checkbox" aria-label={permission} checked={chosen.includes(permission)} onChange={() => toggle(permission)} />
                {kind}
              </label>
            ) : (
              <span key={kind} />
            )
          })}
        </div>
      ))}
    </fieldset>
  )
}
