// Every screen of the console, by the first word of its address. A new screen is a line here and a file in screens/.

import type { ComponentType } from "preact"
import type { IconName } from "../ui/icon"
import { Anything } from "../screens/anything"
import { Design } from "../screens/design"
import { Group } from "../screens/group"
import { MessageScreen } from "../screens/message"
import { Overview } from "../screens/overview"
import { RequestScreen } from "../screens/request"
import { Requests } from "../screens/requests"
import { Sessions } from "../screens/sessions"

export interface Screen {
  path: string
  name: string
  icon: IconName
  /** What stands there; `Group` lists the messages of these areas until there is a screen. */
  areas?: string[]
  list: ComponentType
  one?: ComponentType<{ id: string }>
}

export const SCREENS: Screen[] = [
  { path: "overview", name: "Overview", icon: "overview", list: Overview },
  { path: "requests", name: "Requests", icon: "requests", list: Requests, one: RequestScreen },
  { path: "rules", name: "Rules", icon: "rules", list: Group, areas: ["webhooks"] },
  { path: "dead", name: "Quarantine and dead", icon: "dead", list: Group, areas: ["inbound"] },
  { path: "processes", name: "Processes", icon: "processes", list: Group, areas: ["processes"] },
  { path: "deliveries", name: "Deliveries", icon: "deliveries", list: Group, areas: ["subscriptions", "deliveries", "events"] },
  { path: "scripts", name: "Scripts", icon: "scripts", list: Group, areas: ["code"] },
  { path: "administration", name: "Administration", icon: "administration", list: Sessions },
  { path: "anything", name: "Anything", icon: "anything", list: Anything, one: MessageScreen },
]

/** Screens that no menu shows. */
export const HIDDEN: Screen[] = [{ path: "design", name: "Design", icon: "overview", list: Design }]

export function screenAt(path: string): Screen | undefined {
  return [...SCREENS, ...HIDDEN].find((screen) => screen.path === path)
}
