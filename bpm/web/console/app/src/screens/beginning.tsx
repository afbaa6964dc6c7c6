// What to do in an installation in which nothing is set up yet.

import { to } from "../router"
import { may } from "../session"
import { ways } from "../single_sign_on"

const STEPS = [
  { permission: "webhooks:write", place: "rules/new", name: "Create a rule", about: "A rule gives a provider an address to send to, and says what becomes of what it sends." },
  { permission: "subscriptions:write", place: "subscriptions/new", name: "Make a subscription", about: "A subscription sends events on to an address of yours, signed, and again when that is away." },
  { permission: "processes:write", place: "diagrams/new", name: "Draw a process", about: "A process runs for days, waits for people and other systems, and is begun by a rule, an event or by hand." },
]

export function Beginning() {
  const steps = STEPS.filter((step) => may(step.permission))
  if (!steps.length) return null
  const mayChange = !ways.value.singleSignOn
  return (
    <section class="card">
      <h2>Begin here</h2>
      <ul class="needs beginning">
        {mayChange && (
          <li>
            <span>The first password was printed where the server started: whoever signs in with it should change it.</span>
            <a class="button" href={to("administration")}>
              Change my password
            </a>
          </li>
        )}
        {steps.map(({ place, name, about }) => (
          <li key={place}>
            <span>{about}</span>
            <a class="button" href={to(place)}>
              {name}
            </a>
          </li>
        ))}
      </ul>
    </section>
  )
}
