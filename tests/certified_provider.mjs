// A provider of OpenID Connect on loopback that the OpenID Foundation has certified: `node certified_provider.mjs FILE`.
//
// It runs among the libraries of the console, where npm puts it. The file holds the port, the provider's configuration,
// and the claims of each account, which are read anew at each sign-in.

import { readFileSync } from "node:fs"
import { createRequire } from "node:module"

const { default: Provider } = createRequire(`${process.cwd()}/`)("oidc-provider")
const read = () => JSON.parse(readFileSync(process.argv[2], "utf8"))
const { port, configuration } = read()

const findAccount = (_, accountId) => {
  const claims = read().accounts[accountId]
  return claims && { accountId, claims: () => ({ sub: accountId, ...claims }) }
}

new Provider(`http://127.0.0.1:${port}`, { ...configuration, findAccount }).listen(port, "127.0.0.1")
