// The head of a screen: where one is, what can be done here.

import type { ComponentChildren } from "preact"
import { IsHeaded, useTitle } from "./heading"

interface Props {
  title: ComponentChildren
  /** What the window is called; the title, where that is text. */
  name?: string
  back?: { label: string; address: string }
  about?: ComponentChildren
  actions?: ComponentChildren
  children: ComponentChildren
}

export function Page({ title, name, back, about, actions, children }: Props) {
  useTitle(name ?? (typeof title === "string" ? title : ""))
  return (
    <IsHeaded.Provider value>
      <header class="page-head">
        <div class="page-title">
          {back && (
            <a class="back" href={back.address}>
              {back.label}
            </a>
          )}
          <h1>{title}</h1>
          {about && <p class="muted">{about}</p>}
        </div>
        <div class="row">{actions}</div>
      </header>
      {children}
    </IsHeaded.Provider>
  )
}
