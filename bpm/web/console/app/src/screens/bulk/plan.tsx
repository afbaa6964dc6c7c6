// Many rows at once: the list is made and shown before anything is done, and nothing that comes later is added to it.

import type { ComponentChildren } from "preact"
import { useEffect, useRef, useState } from "preact/hooks"
import { Refused, send } from "../../bus"
import { go, to } from "../../router"
import type { Message, Schemas } from "../../types"
import { Button } from "../../ui/button"
import { Dialog } from "../../ui/dialog"
import { Refusal } from "../../ui/refusal"
import { Loading } from "../../ui/states"

type Job = Schemas["BulkJobView"]
export type BulkPlan = Omit<Extract<Message, { $type: "PlanBulkJobCommand" }>, "$type">

interface Props {
  title: string
  /** What is done, before and after the number of rows, as in "Drive 12 again". */
  verb: [before: string, after: string]
  plan: BulkPlan
  children?: ComponentChildren
  onClose: () => void
}

export function PlanBulk({ title, verb: [before, after], plan, children, onClose }: Props) {
  const [job, setJob] = useState<Job>()
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const planned = useRef<Promise<Job> | undefined>(undefined)
  useEffect(() => {
    planned.current = send({ $type: "PlanBulkJobCommand", ...plan })
    planned.current.then(setJob, (error) => setRefused(Refused.of(error)))
  }, [])
  const start = async () => {
    if (!job) return
    setBusy(true)
    try {
      await send({ $type: "StartBulkJobCommand", bulkId: job.id })
      go(to(`bulk/${job.id}`))
    } catch (error) {
      setRefused(Refused.of(error))
      setBusy(false)
    }
  }
  const close = () => {
    void planned.current?.then((made) => send({ $type: "CancelBulkJobCommand", bulkId: made.id })).catch(() => undefined)
    onClose()
  }
  return (
    <Dialog title={title} isWide onClose={close}>
      {children}
      {!job && !refused && <Loading rows={2} />}
      {job && (
        <p class="muted" role="status">
          {job.total.toLocaleString()} chosen, the oldest first.{" "}
          {job.matched > job.total && `${job.matched.toLocaleString()} fit; the others can follow afterwards. `}
          What comes later is not among them.
        </p>
      )}
      {refused && <Refusal refused={refused} />}
      <footer>
        <Button onClick={close}>Cancel</Button>
        <Button kind="main" icon="again" isBusy={isBusy} disabled={!job} onClick={() => void start()}>
          {[before, job?.total.toLocaleString(), after].filter(Boolean).join(" ")}
        </Button>
      </footer>
    </Dialog>
  )
}
