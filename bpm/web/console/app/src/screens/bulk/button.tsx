// A button that plans something for many rows, for those who may do it with one.

import type { ComponentChildren } from "preact"
import { useState } from "preact/hooks"
import { may } from "../../session"
import { Button } from "../../ui/button"
import { PlanBulk, type BulkPlan } from "./plan"

interface Props {
  label: string
  /** What one has to be allowed to do with a single row. */
  permission: string
  title: string
  verb: [before: string, after: string]
  plan: BulkPlan
  children?: ComponentChildren
}

export function BulkButton({ label, permission, children, ...planned }: Props) {
  const [isOpen, open] = useState(false)
  if (!may(permission) || !may("messages:write")) return null
  return (
    <>
      <Button icon="again" onClick={() => open(true)}>
        {label}
      </Button>
      {isOpen && (
        <PlanBulk {...planned} onClose={() => open(false)}>
          {children}
        </PlanBulk>
      )}
    </>
  )
}
