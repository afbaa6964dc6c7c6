// What can be done with many rows at once, in words, and where a row of it leads.

import { to } from "../../router"
import type { Schemas } from "../../types"

type Action = Schemas["BulkJobView"]["action"]

interface Told {
  name: string
  done: string
  addressOf: (ref: string) => string
}

const request = (ref: string) => to(`requests/${ref}`)
const delivery = (ref: string) => to(`deliveries/${ref}`)

export const ACTIONS: Record<Action, Told> = {
  replayRequests: { name: "Drive requests again", done: "driven again", addressOf: request },
  discardRequests: { name: "Give requests up", done: "given up", addressOf: request },
  resendDeliveries: { name: "Send deliveries again", done: "sent again", addressOf: delivery },
  cancelDeliveries: { name: "Give deliveries up", done: "given up", addressOf: delivery },
  retryIncidents: { name: "Retry incidents", done: "retried", addressOf: (ref) => to(`processes/${ref.split(".")[0]}`) },
}
