// What needs somebody, in a sentence each, with the screen where it is mended.

import { useAsk } from "../asking"
import { to } from "../router"
import { may } from "../session"
import type { Schemas } from "../types"
import { duration } from "../ui/time"

type Status = Schemas["SystemStatusView"]

export interface Need {
  tone: "bad" | "warn"
  state: string
  words: string
  action: string
  address: string
}

const LATE_SECONDS = 60
/** An item that waits longer than this needs somebody. */
const SECONDS = 30
/** What goes out and what runs for longer is counted no more often than this. */
const MOST = 200

/** Returns what the status of the installation says. */
export function needsOf(status: Status): Need[] {
  const { inbound, draining, refused } = status
  const late = inbound.oldestWaitingSeconds ?? 0
  const needs: Array<Need | false> = [
    draining && { tone: "warn", state: "stopping", words: "The server is stopping and takes nothing new.", action: "Requests", address: to("requests") },
    status.workers === 0 && {
      tone: "bad",
      state: "no worker",
      words: "No worker runs: what is accepted waits until somebody starts `bpm worker`.",
      action: "See what waits",
      address: to("requests", { state: "pending" }),
    },
    inbound.dead > 0 && {
      tone: "bad",
      state: "dead",
      words: `${many(inbound.dead, "request")} given up after all attempts.`,
      action: may("inbound:write") ? "Look and replay" : "Look",
      address: to("requests", { state: "dead" }),
    },
    inbound.quarantined > 0 && {
      tone: "warn",
      state: "quarantined",
      words: `${many(inbound.quarantined, "request")} refused and kept.`,
      action: "See why",
      address: to("requests", { state: "quarantined" }),
    },
    late > LATE_SECONDS && {
      tone: "warn",
      state: "late",
      words: `The oldest request has been waiting for ${duration(late)}.`,
      action: "See which",
      address: to("requests", { state: "pending" }),
    },
    refused.notKept > 0 && {
      tone: "warn",
      state: "full",
      words: `${many(refused.notKept, "request")} refused today and not kept, because the day's room is full.`,
      action: "Requests",
      address: to("requests", { state: "quarantined" }),
    },
  ]
  return needs.filter((need): need is Need => need !== false)
}

/** Returns what needs somebody among what goes out and what runs for longer; another `turn` asks anew. */
export function useOtherNeeds(turn: number): Need[] {
  const dead = useAsk(may("deliveries:read") ? { $type: "GetDeliveryListQuery", state: "dead", pageSize: 1 } : null, SECONDS, turn).data?.totalCount ?? 0
  const incidents = useAsk(may("processes:read") ? { $type: "GetProcessInstanceListQuery", status: "ERROR", pageSize: 1 } : null, SECONDS, turn).data?.totalCount ?? 0
  const later = useAsk(may("messages:read") ? { $type: "GetScheduledMessageListQuery", state: "dead", pageSize: 1 } : null, SECONDS, turn).data?.totalCount ?? 0
  const subscriptions = useAsk(may("subscriptions:read") ? { $type: "GetSubscriptionListQuery", pageSize: MOST } : null, SECONDS, turn).data?.items ?? []
  const failing = subscriptions.filter((each) => (each.isActive ? each.breaker !== "closed" : each.disabledReason))
  const [first] = failing
  const needs: Array<Need | false> = [
    incidents > 0 && {
      tone: "bad",
      state: "incident",
      words: `${many(incidents, "instance")} stopped by an incident.`,
      action: "See which",
      address: to("processes", { state: "ERROR" }),
    },
    dead > 0 && {
      tone: "bad",
      state: "dead",
      words: `${many(dead, "delivery", "deliveries")} given up after all attempts.`,
      action: may("deliveries:write") ? "Look and send again" : "Look",
      address: to("deliveries", { state: "dead" }),
    },
    later > 0 && {
      tone: "bad",
      state: "dead",
      words: `${many(later, "message of a process", "messages of processes")} given up after all attempts.`,
      action: may("messages:write") ? "Look and try again" : "Look",
      address: to("administration", { list: "later", state: "dead" }),
    },
    first !== undefined && {
      tone: "warn",
      state: "failing",
      words: failing.length === 1 ? `Nothing arrives at ${first.name || first.url}.` : `Nothing arrives at ${failing.length} subscriptions.`,
      action: "See why",
      address: failing.length === 1 ? to(`subscriptions/${first.id}`) : to("deliveries", { list: "subscriptions" }),
    },
  ]
  return needs.filter((need): need is Need => need !== false)
}

export const MOST_COUNTED = 10_000

function many(count: number, one: string, more = `${one}s`): string {
  return count === 1 ? `1 ${one} was` : `${count >= MOST_COUNTED ? "10,000 or more" : count} ${more} were`
}
