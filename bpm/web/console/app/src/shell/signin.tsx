// Signing in: a page of its own at the start, a dialog over the work when a session has ended.

import { useEffect, useState } from "preact/hooks"
import { Refused } from "../bus"
import { Installation, windowName } from "../installation"
import { account, signIn, signOut } from "../session"
import { leaveForProvider, problem as former, signInBeside, ways } from "../single_sign_on"
import { Button } from "../ui/button"
import { Dialog } from "../ui/dialog"
import { Field, Input } from "../ui/field"

export function SignInPage() {
  useEffect(() => {
    document.title = windowName("Sign in")
  }, [])
  return (
    <main class="sign-in">
      <Brand />
      <Installation />
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

/** What a window shows that was opened for the dialog and that the browser does not let close itself. */
export function SignedInBeside() {
  return (
    <main class="sign-in">
      <Brand />
      <p>You are signed in. Close this window: the page that you came from goes on where it was.</p>
    </main>
  )
}

function Brand() {
  return (
    <h1 class="brand">
      <img src="../docs/assets/icon.svg" alt="" />
      BPM Bus
    </h1>
  )
}

function SignInForm({ username = "", isInDialog = false }: { username?: string; isInDialog?: boolean }) {
  const [name, setName] = useState(username)
  const [password, setPassword] = useState("")
  const [isBusy, setBusy] = useState(false)
  const [problem, setProblem] = useState(isInDialog ? "" : former)
  const { singleSignOn, passwordsAreForOne } = ways.value

  const attempt = async (work: () => Promise<void>) => {
    setBusy(true)
    setProblem("")
    try {
      await work()
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      setProblem(error.errors[0] ?? error.message)
      setPassword("")
    } finally {
      setBusy(false)
    }
  }
  const goToProvider = () => {
    if (!isInDialog) void attempt(leaveForProvider)
    else if (!signInBeside()) setProblem("The browser did not open a window. Allow windows of this page, and try again.")
  }

  const fields = (
    <>
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
      <Button kind={singleSignOn ? "plain" : "main"} type="submit" isBusy={isBusy} disabled={!name || !password}>
        Sign in
      </Button>
    </>
  )

  return (
    <form
      class={isInDialog ? "stack" : "stack card"}
      onSubmit={(event) => {
        event.preventDefault()
        void attempt(() => signIn(name, password))
      }}
    >
      {problem && (
        <p class="notice" role="alert">
          {problem}
        </p>
      )}
      {singleSignOn && (
        <Button kind="main" isBusy={isBusy} onClick={goToProvider}>
          Sign in with {singleSignOn}
        </Button>
      )}
      {singleSignOn ? (
        <details class="by-password" open={!passwordsAreForOne}>
          <summary>{passwordsAreForOne ? "Break glass: sign in with a password" : "Sign in with a password"}</summary>
          <div class="stack">{fields}</div>
        </details>
      ) : (
        fields
      )}
      {isInDialog && (
        <Button kind="quiet" onClick={() => void signOut()}>
          Leave the page instead
        </Button>
      )}
    </form>
  )
}
