// Bundles src/ into the folder that is named: hashed assets, each also compressed, the page, and the licences.

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { basename, join } from "node:path"
import { brotliCompressSync } from "node:zlib"
import { build } from "esbuild"

const out = process.argv[2]
rmSync(out, { recursive: true, force: true })
mkdirSync(out, { recursive: true })

const { metafile } = await build({
  entryPoints: { app: "src/main.tsx" },
  outdir: join(out, "assets"),
  entryNames: "[name]-[hash]",
  chunkNames: "[name]-[hash]",
  assetNames: "[name]-[hash]",
  bundle: true,
  splitting: true,
  format: "esm",
  target: ["es2022"],
  minify: true,
  jsx: "automatic",
  jsxImportSource: "preact",
  loader: { ".svg": "file", ".woff2": "file" },
  legalComments: "none",
  metafile: true,
  logLevel: "warning",
})

const entry = Object.entries(metafile.outputs).find(([, made]) => made.entryPoint === "src/main.tsx")
const [script, { cssBundle }] = entry
const preloads = [...importedBy(script)].map((path) => `<link rel="modulepreload" href="assets/${basename(path)}">`)
writeFileSync(
  join(out, "index.html"),
  readFileSync("index.html", "utf8")
    .replace("{{script}}", `assets/${basename(script)}`)
    .replace("{{style}}", `assets/${basename(cssBundle)}`)
    .replace("{{preloads}}", preloads.join("\n")),
)

for (const name of readdirSync(join(out, "assets"))) {
  if (name.endsWith(".woff2")) continue // it is compressed already
  const path = join(out, "assets", name)
  writeFileSync(`${path}.br`, brotliCompressSync(readFileSync(path)))
}

const packages = new Set(
  Object.keys(metafile.inputs)
    .filter((path) => path.includes("node_modules/"))
    .map((path) => /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)/.exec(path)[1]),
)
const licences = [...packages].sort().map((folder) => {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"))
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each))
  return `${name} ${version} (${license})\n\n${file ? readFileSync(join(folder, file), "utf8") : ""}`
})
writeFileSync(join(out, "THIRD_PARTY_LICENSES"), licences.join("\n\n----\n\n"))

/** Returns every script that one needs before it begins: the page names them, so that they are fetched at once. */
function importedBy(script, found = new Set()) {
  for (const { path, kind } of metafile.outputs[script].imports) {
    if (kind !== "import-statement" || found.has(path)) continue
    found.add(path)
    importedBy(path, found)
  }
  return found
}
