// The frame: where one may go, who one is, and the screen in the middle.

import { useSignal } from "@preact/signals"
import { useLayoutEffect } from "preact/hooks"
import { isLost } from "../connection"
import { Installation } from "../installation"
import { place } from "../router"
import { account, isExpired, signOut } from "../session"
import { choose, theme, type Theme } from "../theme"
import { IconButton } from "../ui/button"
import { Select } from "../ui/field"
import { Icon } from "../ui/icon"
import { useKeys } from "../ui/keys"
import { Page } from "../ui/page"
import { Empty } from "../ui/states"
import { Palette } from "./palette"
import { SCREENS, screenAt } from "./screens"
import { SignInAgain } from "./signin"

const THEMES: Array<{ value: Theme; label: string }> = [
  { value: "system", label: "Colours of the system" },
  { value: "light", label: "Light" },
  { value: "dark", label: "Dark" },
  { value: "contrast", label: "High contrast" },
]

export function Shell() {
  const isOpen = useSignal(false)
  const isFinding = useSignal(false)
  const { path } = place.value
  const here = screenAt(path[0] ?? "overview")?.under ?? path[0] ?? "overview"
  useKeys((event) => {
    if (event.key === "Escape") isOpen.value = false
    if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return
    event.preventDefault()
    isFinding.value = true
  })
  useLayoutEffect(() => { // before the next key, which may open the palette again
    isOpen.value = false
    isFinding.value = false
    scrollTo(0, 0)
  }, [path.join("/")])

  return (
    <div class="shell">
      <a class="button skip" href="#main" onClick={(event) => toMain(event)}>
        To the content
      </a>
      <header class="top" inert={isOpen.value}>
        <IconButton label="Menu" icon="menu" onClick={() => (isOpen.value = true)} />
        <Brand />
        <Installation />
        <IconButton label="Find" icon="search" onClick={() => (isFinding.value = true)} />
      </header>
      {isOpen.value && <button type="button" class="veil" aria-label="Close the menu" onClick={() => (isOpen.value = false)} />}
      <aside class={isOpen.value ? "side is-open" : "side"} aria-label="Menu">
        <Brand />
        <Installation />
        <button type="button" class="button find" onClick={() => (isFinding.value = true)}>
          <Icon name="search" />
          Find
          <kbd>Ctrl K</kbd>
        </button>
        <nav aria-label="Screens">
          <ul>
            {SCREENS.map((screen) => (
              <li key={screen.path}>
                <a href={`#/${screen.path}`} aria-current={here === screen.path ? "page" : undefined}>
                  <Icon name={screen.icon} />
                  {screen.name}
                </a>
              </li>
            ))}
          </ul>
        </nav>
        <div class="who">
          <Select aria-label="Colours" value={theme.value} choices={THEMES} onChoice={(each) => choose(each as Theme)} />
          <div class="row">
            <a class="truncated" href="#/administration" title="Sessions and password">
              {account.value?.name}
            </a>
            <IconButton label="Sign out" icon="out" onClick={() => void signOut()} />
          </div>
        </div>
      </aside>
      <main id="main" tabIndex={-1} inert={isOpen.value}>
        {isLost.value && (
          <p class="notice" role="status">
            The server can't be reached. What is shown is from before; it goes on by itself as soon as the server answers.
          </p>
        )}
        <Middle />
      </main>
      {isFinding.value && <Palette onClose={() => (isFinding.value = false)} />}
      {isExpired.value && <SignInAgain />}
    </div>
  )
}

function Middle() {
  const [first = "overview", id] = place.value.path
  const screen = screenAt(first)
  if (!screen || (id !== undefined && !screen.one)) {
    return (
      <Page title="There is no such screen">
        <Empty title="Nothing is at this address" action={<a class="button" href="#/overview">To the overview</a>}>
          It may be from another version.
        </Empty>
      </Page>
    )
  }
  return id !== undefined && screen.one ? <screen.one key={id} id={id} /> : <screen.list key={first} />
}

function Brand() {
  return (
    <a class="brand" href="#/overview">
      <img src="../docs/assets/icon.svg" alt="" />
      BPM Bus
    </a>
  )
}

function toMain(event: Event): void {
  event.preventDefault()
  document.getElementById("main")?.focus()
}
