// What this installation is called, so that nobody takes one for another; the server writes it into the page.

const told = document.querySelector<HTMLMetaElement>('meta[name="installation"]')
const called = told?.content ?? ""

/** The name of the window while a screen is shown, the screen first. */
export function windowName(screen: string): string {
  return [screen, called, "BPM Bus"].filter(Boolean).join(" · ")
}

export function Installation() {
  if (!called) return null
  return (
    <span class={`installation ${told?.className}`} title={called}>
      <span class="visually-hidden">Installation: </span>
      {called}
    </span>
  )
}
