// Names with their values, as of one thing that is looked at.

import type { ComponentChildren } from "preact"

export type Fact = [name: string, value: ComponentChildren] | false | null | undefined

export function Facts({ facts }: { facts: Fact[] }) {
  return (
    <dl class="facts">
      {facts.map(
        (fact) =>
          fact && (
            <div key={fact[0]}>
              <dt>{fact[0]}</dt>
              <dd>{fact[1] ?? <span class="muted">–</span>}</dd>
            </div>
          ),
      )}
    </dl>
  )
}
