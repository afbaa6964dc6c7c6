// The choice of the version that another is compared with; the address names it.

import { place, refine } from "../../router"
import { Field, Select } from "../../ui/field"
import { local } from "../../ui/time"

interface Version {
  id: number
  version: number
  createdAt: string
}

/** Returns the id of the version that the address compares with, if it names one. */
export function comparedId(): number | undefined {
  const id = Number(place.value.filters["with"])
  return id > 0 && Number.isInteger(id) ? id : undefined
}

export function VersionChoice({ id, versions }: { id: number; versions: Version[] }) {
  const others = versions.filter((each) => each.id !== id)
  if (!others.length) return null
  return (
    <div class="version-choice">
    <Field label="Compare with">
      {(own) => (
        <Select
          {...own}
          value={String(comparedId() ?? "")}
          choices={[{ value: "", label: "no other version" }, ...others.map((each) => ({ value: String(each.id), label: `version ${each.version}, ${local(each.createdAt)}` }))]}
          onChoice={(other) => refine({ with: other })}
        />
      )}
    </Field>
    </div>
  )
}
