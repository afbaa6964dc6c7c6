// How the state of an instance is called.

/** An instance with an incident has stopped, and goes on when it is mended. */
export function stateOf({ status }: { status: string }): string {
  return status === "ERROR" ? "incident" : status
}
