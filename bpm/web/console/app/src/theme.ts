// Light, dark or high contrast: as the system says, or as somebody chose in this browser.

import { signal } from "@preact/signals"

export type Theme = "system" | "light" | "dark" | "contrast"

const KEY = "bpm-theme"
const DARK = matchMedia("(prefers-color-scheme: dark)")
const CONTRAST = matchMedia("(prefers-contrast: more)")

export const theme = signal<Theme>((localStorage.getItem(KEY) as Theme | null) ?? "system")

export function choose(wanted: Theme): void {
  theme.value = wanted
  localStorage.setItem(KEY, wanted)
  apply()
}

export function apply(): void {
  const bySystem = CONTRAST.matches ? "contrast" : DARK.matches ? "dark" : "light"
  document.documentElement.dataset["theme"] = theme.value === "system" ? bySystem : theme.value
}

for (const query of [DARK, CONTRAST]) query.addEventListener("change", apply)
apply()
