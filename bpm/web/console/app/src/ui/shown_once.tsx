// A secret that is shown when it is made and never again.

import { Button } from "./button"
import { copy } from "./code"
import { Dialog } from "./dialog"

interface Props {
  title: string
  secret: string
  about: string
  onClose: () => void
}

export function ShownOnce({ title, secret, about, onClose }: Props) {
  return (
    <Dialog title={title}>
      <p>{about}</p>
      <p class="notice calm">
        <code class="secret">{secret}</code>
      </p>
      <footer>
        <Button icon="copy" onClick={() => void copy(secret)}>
          Copy
        </Button>
        <Button kind="main" onClick={onClose}>
          I have kept it
        </Button>
      </footer>
    </Dialog>
  )
}
