// What a new drawing begins with, and how one is deployed.

import type { Schemas } from "../../types"
import type { Draft } from "./draft"

export type Definition = Schemas["ProcessDefinitionDetailView"]
type Deployment = Schemas["CreateProcessDefinitionCommand"] & { $type: "CreateProcessDefinitionCommand" }

export const BLANK = `<?xml version="1.0" encoding="UTF-8"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:bpmndi="http://www.omg.org/spec/BPMN/20100524/DI" xmlns:dc="http://www.omg.org/spec/DD/20100524/DC" xmlns:di="http://www.omg.org/spec/DD/20100524/DI" xmlns:bpm="urn:bpm-bus" targetNamespace="urn:bpm-bus:processes">
  <process id="new-process" name="New process" isExecutable="true">
    <startEvent id="start"/>
  </process>
  <bpmndi:BPMNDiagram id="diagram">
    <bpmndi:BPMNPlane id="plane" bpmnElement="new-process">
      <bpmndi:BPMNShape id="start-shape" bpmnElement="start"><dc:Bounds x="180" y="160" width="36" height="36"/></bpmndi:BPMNShape>
    </bpmndi:BPMNPlane>
  </bpmndi:BPMNDiagram>
</definitions>
`

const BPMN = "http://www.omg.org/spec/BPMN/20100524/MODEL"

/** Returns the message that deploys a file; what only a definition says goes along with it. */
export function deploymentOf({ xml, version }: Draft, definition: Definition | undefined, draft: boolean): Deployment {
  const { id, name } = processIn(xml)
  const isSame = definition?.key === id
  const isRenamed = definition === undefined || name !== processIn(definition.bpmnXml).name
  return {
    $type: "CreateProcessDefinitionCommand",
    name: (isRenamed ? name : definition.name) || id || "Process",
    bpmnXml: xml,
    draft,
    afterVersion: isSame ? version : 0,
    ...(definition && {
      description: definition.description,
      category: definition.category,
      triggerEvents: isSame ? definition.triggerEvents : [],
      isActive: definition.isDraft || definition.isActive,
      metadata: definition.metadata,
    }),
  }
}

export function nameIn(xml: string): string {
  return processIn(xml).name
}

/** Returns the id and the name of the process that a file is about. */
function processIn(xml: string): { id: string; name: string } {
  const processes = [...new DOMParser().parseFromString(xml, "application/xml").getElementsByTagNameNS(BPMN, "process")]
  const meant = processes.find((each) => each.getAttribute("isExecutable") === "true") ?? processes[0]
  return { id: meant?.getAttribute("id") ?? "", name: meant?.getAttribute("name") ?? "" }
}
