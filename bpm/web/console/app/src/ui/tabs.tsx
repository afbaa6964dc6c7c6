// Views of one thing, one at a time; arrow keys change between them.

import { useEffect, useRef } from "preact/hooks"

interface Props<K extends string> {
  label: string
  tabs: ReadonlyArray<{ key: K; label: string; count?: number | undefined }>
  value: K
  onTab: (key: K) => void
}

export function Tabs<K extends string>({ label, tabs, value, onTab }: Props<K>) {
  const list = useRef<HTMLDivElement>(null)
  useEffect(() => bringIntoSight(list.current), [value])
  const step = (event: KeyboardEvent) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key]
    if (!by) return
    const present = tabs.findIndex((tab) => tab.key === value)
    const next = tabs[(present + by + tabs.length) % tabs.length]
    if (next) onTab(next.key)
  }
  return (
    <div ref={list} class="tabs" role="tablist" aria-label={label} onKeyDown={step}>
      {tabs.map((tab) => (
        <button
          key={tab.key}
          type="button"
          role="tab"
          aria-selected={tab.key === value}
          tabIndex={tab.key === value ? 0 : -1}
          ref={(element) => {
            if (tab.key === value && element?.parentElement?.contains(document.activeElement)) element.focus()
          }}
          onClick={() => onTab(tab.key)}
        >
          {tab.label}
          {tab.count !== undefined && <span class="count">{tab.count}</span>}
        </button>
      ))}
    </div>
  )
}

/** Moves the tabs, and nothing else, until the chosen one is seen whole. */
function bringIntoSight(list: HTMLElement | null): void {
  const tab = list?.querySelector<HTMLElement>("[aria-selected=true]")
  if (!list || !tab) return
  const end = tab.offsetLeft + tab.offsetWidth
  list.scrollLeft = Math.min(Math.max(list.scrollLeft, end - list.clientWidth), tab.offsetLeft)
}
