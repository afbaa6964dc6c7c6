// Who may do what, where they are signed in, and what they did.

import type { ComponentType } from "preact"
import { place } from "../../router"
import { may } from "../../session"
import { Page } from "../../ui/page"
import { ListTabs } from "../list_screen"
import { Audit } from "./audit"
import { Keys } from "./keys"
import { Later } from "./later"
import { Organisations } from "./organisations"
import { Sessions } from "./sessions"
import { Settings } from "./settings"
import { Users } from "./users"

interface Part {
  key: string
  label: string
  permission?: string
  shown: ComponentType
}

const PARTS: Part[] = [
  { key: "sessions", label: "Sessions", shown: Sessions },
  { key: "keys", label: "Keys", permission: "users:read", shown: Keys },
  { key: "users", label: "Users", permission: "users:read", shown: Users },
  { key: "audit", label: "Audit", permission: "audit:read", shown: Audit },
  { key: "later", label: "Sent later", permission: "messages:read", shown: Later },
  { key: "organisations", label: "Organisations", permission: "organizations:read", shown: Organisations },
  { key: "settings", label: "Settings", permission: "system:read", shown: Settings },
]

export function Administration() {
  const parts = PARTS.filter((part) => may(part.permission))
  const part = parts.find((each) => each.key === place.value.filters["list"]) ?? parts[0]
  return (
    <Page title="Administration">
      <ListTabs title="Administration" lists={parts} />
      {part && <part.shown key={part.key} />}
    </Page>
  )
}
