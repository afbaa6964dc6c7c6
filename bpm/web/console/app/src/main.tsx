// The start of the console.

import { render } from "preact"
import "./style/tokens.css"
import "./style/base.css"
import "./style/components.css"
import "./style/shell.css"
import "./theme"
import { Refused } from "./bus"
import { isLost, returns } from "./connection"
import { account, begin, isDone } from "./session"
import { Shell } from "./shell/shell"
import { SignedInBeside, SignInPage } from "./shell/signin"
import { Failed } from "./ui/states"
import { Toasts } from "./ui/toast"

function App() {
  if (account.value === undefined) return null
  if (isDone.value) return <SignedInBeside />
  return (
    <>
      {account.value ? <Shell /> : <SignInPage />}
      <Toasts />
    </>
  )
}

const root = document.getElementById("app")
if (root) {
  try {
    await begin()
    render(<App />, root)
  } catch (error) {
    const told = error instanceof Refused ? error : new Refused(0, String(error), [], "")
    render(
      <main>
        <Failed error={told} onAgain={() => location.reload()} />
      </main>,
      root,
    )
    if (isLost.value) returns.subscribe((count) => count && location.reload())
  }
}
