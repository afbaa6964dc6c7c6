// A process is drawn: every problem stands at its element while one draws, and what is done is deployed as a version.

import { useCallback, useEffect, useMemo, useState } from "preact/hooks"
import { useAsk } from "../../asking"
import { Refused, send } from "../../bus"
import type { Flaw, Modeler } from "../../modeler/modeler"
import { Panel } from "../../modeler/panel"
import { go, to } from "../../router"
import { may } from "../../session"
import { Badge } from "../../ui/badge"
import { Button } from "../../ui/button"
import { Page } from "../../ui/page"
import { Refusal } from "../../ui/refusal"
import { Failed, Loading } from "../../ui/states"
import { Tabs } from "../../ui/tabs"
import { toast } from "../../ui/toast"
import { Canvas } from "./canvas"
import { useCheck, type Found } from "./check"
import { BLANK, deploymentOf, nameIn, type Definition } from "./deployment"
import { useDraft, type Writing } from "./draft"
import { Problems } from "./problems"
import { SourceEditor } from "./source"

/** The screen of a drawing; `new` is one that is not deployed yet, others are ids of definitions. */
export function ModelerScreen({ id }: { id: string }) {
  const asked = useAsk(id === "new" ? null : { $type: "GetProcessDefinitionByIdQuery", id: Number(id) })
  if (!may("processes:write")) return <Failed error={new Refused(403, "", ["Drawing a process needs the permission processes:write"], "")} />
  if (asked.error && !asked.data) return <Failed error={asked.error} onAgain={asked.again} />
  if (id !== "new" && !asked.data) return <Loading rows={10} />
  return <Editor key={id} place={`diagrams/${id}`} definition={asked.data} />
}

type View = "drawing" | "source"

function Editor({ place, definition }: { place: string; definition: Definition | undefined }) {
  const writing = useDraft(place, { xml: definition?.bpmnXml ?? BLANK, version: definition?.version ?? 0 })
  const { draft, isChanged } = writing
  const found = useCheck({ $type: "CheckProcessDefinitionCommand", bpmnXml: draft.xml })
  const { refused, isBusy, deploy } = useDeploying(definition, writing)
  const [view, setView] = useState<View>("drawing")
  const [round, setRound] = useState(0)
  return (
    <Page
      name={definition?.name ?? "New diagram"}
      title={
        <span class="row">
          <span>{nameIn(draft.xml) || definition?.name || "New diagram"}</span>
          {isChanged && <Badge state="not deployed" tone="warn" />}
        </span>
      }
      back={definition ? { label: "Its definition", address: to(`definitions/${definition.id}`) } : { label: "Definitions", address: "#/processes?list=definitions" }}
      about={definition && `Begins from version ${draft.version}; what is deployed becomes a new one.`}
      actions={
        <>
          {isChanged && (
            <Button
              kind="quiet"
              onClick={() => {
                writing.forget()
                setRound(round + 1)
              }}
            >
              {definition ? "Undo all changes" : "Begin anew"}
            </Button>
          )}
          {found.problems.length > 0 && (
            <Button isBusy={isBusy} onClick={() => void deploy(true)}>
              Keep as a draft
            </Button>
          )}
          <Button kind="main" isBusy={isBusy} disabled={Boolean(definition) && !isChanged} onClick={() => void deploy(false)}>
            Deploy
          </Button>
        </>
      }
    >
      {refused && (
        <div class="notice">
          <Refusal refused={refused} />
        </div>
      )}
      <Tabs
        label="Views of the file"
        value={view}
        onTab={setView}
        tabs={[
          { key: "drawing", label: "Drawing" },
          { key: "source", label: "XML" },
        ]}
      />
      {view === "drawing" && <Drawing key={round} writing={writing} found={found} isNew={definition === undefined} />}
      {view === "source" && (
        <>
          <SourceEditor label="BPMN" xml={draft.xml} onXml={(xml) => writing.write(() => xml)} />
          <section class="card">
            <Problems found={found} />
          </section>
        </>
      )}
    </Page>
  )
}

function Drawing({ writing, found, isNew }: { writing: Writing; found: Found; isNew: boolean }) {
  const [begun] = useState(writing.draft.xml)
  const [modeler, setModeler] = useState<Modeler>()
  const [undone, setUndone] = useState(0)
  const [, redraw] = useState(0)
  const flaws = useMemo(() => found.problems.map(({ elementId, message }): Flaw => ({ element: elementId, message })), [found.problems])
  const onChoose = useCallback(() => redraw((count) => count + 1), [])
  const onChange = useCallback(async (opened: Modeler) => {
    onChoose()
    const xml = await opened.xml()
    writing.write(() => xml)
  }, [])
  useEffect(() => modeler?.mark(flaws), [modeler, flaws])
  return (
    <>
      {modeler?.warnings.map((warning) => (
        <p key={warning} class="notice">
          This would be lost when the drawing is changed: {warning}
        </p>
      ))}
      <div class="modeler">
        <section class="card">
          <Canvas xml={begun} modeler={modeler} onOpen={setModeler} onChange={(opened) => void onChange(opened)} onChoose={onChoose} onUndone={() => setUndone(undone + 1)} />
          <Problems found={found} {...(modeler && { onElement: modeler.choose })} />
        </section>
        {modeler && <Panel modeler={modeler} flaws={flaws} round={undone} isNew={isNew} />}
      </div>
    </>
  )
}

interface Deploying {
  refused: Refused | undefined
  isBusy: boolean
  deploy: (isDraft: boolean) => Promise<void>
}

/** Deploys what is written, and keeps what the server said when it refused. */
function useDeploying(definition: Definition | undefined, { draft, settle }: Writing): Deploying {
  const [refused, setRefused] = useState<Refused>()
  const [isBusy, setBusy] = useState(false)
  const deploy = async (isDraft: boolean) => {
    setBusy(true)
    setRefused(undefined)
    try {
      const done = await send(deploymentOf(draft, definition, isDraft))
      settle()
      toast(done.isDraft ? `Kept as version ${done.version}, which can't be executed yet` : `Deployed as version ${done.version}`)
      go(to(`definitions/${done.id}`))
    } catch (error) {
      setRefused(Refused.of(error))
    } finally {
      setBusy(false)
    }
  }
  return { refused, isBusy, deploy }
}
