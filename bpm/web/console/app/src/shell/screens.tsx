// Every screen of the console, by the first word of its address. A new screen is a line here and a file in screens/.

import type { ComponentType } from "preact"
import { lazy } from "../lazy"
import type { IconName } from "../ui/icon"
import { Anything } from "../screens/anything"
import { Dead } from "../screens/dead"
import { Deliveries } from "../screens/deliveries/deliveries"
import { Design } from "../screens/design"
import { MessageScreen } from "../screens/message"
import { Overview } from "../screens/overview"
import { Processes } from "../screens/processes"
import { RequestScreen } from "../screens/request"
import { Requests } from "../screens/requests"
import { Rules } from "../screens/rules"
import { Scripts } from "../screens/scripts"
import { TraceScreen, TraceStart } from "../screens/trace"

const RuleScreen = lazy(async () => (await import("../screens/rule/rule")).RuleScreen)
const DraftScreen = lazy(async () => (await import("../screens/rule/rule")).DraftScreen)
const InstanceScreen = lazy(async () => (await import("../screens/instance/instance")).InstanceScreen)
const DefinitionScreen = lazy(async () => (await import("../screens/definition")).DefinitionScreen)
const Administration = lazy(async () => (await import("../screens/administration/administration")).Administration)
const SubscriptionScreen = lazy(async () => (await import("../screens/deliveries/subscription")).SubscriptionScreen)
const DeliveryScreen = lazy(async () => (await import("../screens/deliveries/delivery")).DeliveryScreen)
const BulkScreen = lazy(async () => (await import("../screens/bulk/bulk")).BulkScreen)
const DecisionScreen = lazy(async () => (await import("../screens/decision/decision")).DecisionScreen)
const RunScreen = lazy(async () => (await import("../screens/run")).RunScreen)
const ModelerScreen = lazy(async () => (await import("../screens/modeler/modeler")).ModelerScreen)
const TaskScreen = lazy(async () => (await import("../screens/task")).TaskScreen)

export interface Screen {
  path: string
  name: string
  icon: IconName
  list: ComponentType
  one?: ComponentType<{ id: string }>
  /** The screen of the menu that it belongs to. */
  under?: string
}

export const SCREENS: Screen[] = [
  { path: "overview", name: "Overview", icon: "overview", list: Overview },
  { path: "requests", name: "Requests", icon: "requests", list: Requests, one: RequestScreen },
  { path: "rules", name: "Rules", icon: "rules", list: Rules, one: RuleScreen },
  { path: "dead", name: "Quarantine and dead", icon: "dead", list: Dead },
  { path: "processes", name: "Processes", icon: "processes", list: Processes, one: InstanceScreen },
  { path: "deliveries", name: "Deliveries", icon: "deliveries", list: Deliveries, one: DeliveryScreen },
  { path: "scripts", name: "Scripts", icon: "scripts", list: Scripts, one: RunScreen },
  { path: "administration", name: "Administration", icon: "administration", list: Administration },
  { path: "anything", name: "Anything", icon: "anything", list: Anything, one: MessageScreen },
]

/** Screens that no menu shows. */
export const HIDDEN: Screen[] = [
  { path: "bulk", name: "Bulk jobs", icon: "dead", list: Dead, one: BulkScreen, under: "dead" },
  { path: "definitions", name: "Definitions", icon: "processes", list: Processes, one: DefinitionScreen, under: "processes" },
  { path: "decisions", name: "Decisions", icon: "processes", list: Processes, one: DecisionScreen, under: "processes" },
  { path: "diagrams", name: "Diagrams", icon: "processes", list: Processes, one: ModelerScreen, under: "processes" },
  { path: "drafts", name: "Drafts", icon: "rules", list: Rules, one: DraftScreen, under: "rules" },
  { path: "subscriptions", name: "Subscriptions", icon: "deliveries", list: Deliveries, one: SubscriptionScreen, under: "deliveries" },
  { path: "tasks", name: "Tasks", icon: "processes", list: Processes, one: TaskScreen, under: "processes" },
  { path: "trace", name: "Trace", icon: "requests", list: TraceStart, one: TraceScreen, under: "requests" },
  { path: "design", name: "Design", icon: "overview", list: Design },
]

export function screenAt(path: string): Screen | undefined {
  return [...SCREENS, ...HIDDEN].find((screen) => screen.path === path)
}
