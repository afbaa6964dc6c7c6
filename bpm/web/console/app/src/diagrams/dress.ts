// Style sheets of libraries: they become sheets made by code, for the policy of the console forbids elements of style.

const worn = new Set<string>()

/** Adopts sheets, each once. */
export function dress(...sheets: string[]): void {
  for (const text of sheets.filter((each) => !worn.has(each))) {
    worn.add(text)
    const sheet = new CSSStyleSheet()
    sheet.replaceSync(text)
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
  }
}
