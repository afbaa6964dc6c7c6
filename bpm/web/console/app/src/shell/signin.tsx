// Signing in: a page of its own at the start, a dialog over the work when a session has ended.

import { useState } from "preact/hooks"
import { Refused } from "../bus"
import { account, signIn, signOut } from "../session"
import { Button } from "../ui/button"
import { Dialog } from "../ui/dialog"
import { Field, Input } from "../ui/field"

export function SignInPage() {
  return (
    <main class="sign-in">
      <h1 class="brand">
        <img src="../docs/assets/icon.svg" alt="" />
        BPM Bus
      </h1>
      <SignInForm />
      <p class="muted">The first start of a server prints the name and the password of its administrator once.</p>
    </main>
  )
}

export function SignInAgain() {
  return (
    <Dialog title="Your session has ended">
      <p class="muted">Sign in again, and the page goes on where you are. Nothing that you typed is lost.</p>
      <SignInForm username={account.value?.name ?? ""} isInDialog />
    </Dialog>
  )
}

function SignInForm({ username = "", isInDialog = false }: { username?: string; isInDialog?: boolean }) {
  const [name, setName] = useState(username)
  const [password, setPassword] = useState("")
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState("")

  const submit = async (event: Event) => {
    event.preventDefault()
    setBusy(true)
    setProblem("")
    try {
      await signIn(name, password)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      setProblem(error.errors[0] ?? error.message)
      setPassword("")
    } finally {
      setBusy(false)
    }
  }

  return (
    <form class={isInDialog ? "stack" : "stack card"} onSubmit={(event) => void submit(event)}>
      {problem && (
        <p class="notice" role="alert">
          {problem}
        </p>
      )}
      <Field label="User name">
        {(own) => (
          <Input {...own} name="username" autocomplete="username" spellcheck={false} autofocus={!username} value={name} onText={setName} />
        )}
      </Field>
      <Field label="Password">
        {(own) => (
          <Input
            {...own}
            type="password"
            name="password"
            autocomplete="current-password"
            autofocus={Boolean(username)}
            value={password}
            onText={setPassword}
          />
        )}
      </Field>
      <Button kind="main" type="submit" isBusy={isBusy} disabled={!name || !password}>
        Sign in
      </Button>
      {isInDialog && (
        <Button kind="quiet" onClick={() => void signOut()}>
          Leave the page instead
        </Button>
      )}
    </form>
  )
}
