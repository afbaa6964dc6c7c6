// A file as it is written: for what no drawing or table shows.

import { Field, TextArea } from "../../ui/field"

export function SourceEditor({ label, xml, onXml }: { label: string; xml: string; onXml: (xml: string) => void }) {
  return (
    <Field label={label} help="What is written here is drawn when you go back.">
      {(own) => <TextArea {...own} class="control source" rows={24} spellcheck={false} value={xml} onText={onXml} />}
    </Field>
  )
}
