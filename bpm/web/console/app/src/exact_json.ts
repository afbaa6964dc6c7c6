// JSON whose numbers keep their digits: `100.00` is read, shown and written as `100.00`, and no integer is rounded.
//
// A browser reads numbers as doubles. One that a double writes with the same digits stays a number; every other
// becomes an `ExactNumber`. That needs nothing of the newest browsers (`context.source`, `JSON.rawJSON`). No other file
// of the console reads or writes JSON.

/** A number with the digits that it was written with; it calculates as the nearest double. */
export class ExactNumber extends Number {
  constructor(readonly digits: string) {
    super(digits)
  }

  override toString(): string {
    return this.digits
  }
}

const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/gs
const TYPED = /^([+-]?)0*(\d*)(\.\d+)?([eE][+-]?\d+)?$/
const PARTS = /^(-?)(\d+)(?:\.(\d+))?(?:e([+-]?\d+))?$/i

const MARK = `number ${crypto.getRandomValues(new Uint32Array(4)).join("-")} `
/** Stands before digits on their way through the browser's own reader and writer. Nobody else knows it, so no text begins with it. */

/** Returns the value that JSON text says; throws `SyntaxError`. */
export function parse(text: string): unknown {
  const rounded: unknown = JSON.parse(text)
  const marked = text.replace(TOKEN, (token) => (token.startsWith('"') || isDouble(token) ? token : `"${MARK}${token}"`))
  if (marked === text) return rounded
  return JSON.parse(marked, (_, value: unknown) =>
    typeof value === "string" && value.startsWith(MARK) ? new ExactNumber(value.slice(MARK.length)) : value,
  )
}

/** Returns a value as JSON text, with every digit; `replace` may put another value in the place of a field's. */
export function stringify(value: unknown, indent = 0, replace = (_name: string, each: unknown): unknown => each): string {
  const marked: string | undefined = JSON.stringify(
    value,
    (name, each: unknown) => {
      const replaced = replace(name, each)
      return replaced instanceof ExactNumber ? MARK + replaced.digits : replaced
    },
    indent,
  )
  return (marked ?? "").replaceAll(new RegExp(`"${MARK}([^"]*)"`, "g"), "$1")
}

/** Returns JSON text with line breaks and nothing else changed: digits, order and repeated names stay. Throws `SyntaxError`. */
export function indented(text: string): string {
  JSON.parse(text)
  let depth = 0
  const line = () => `\n${"  ".repeat(depth)}`
  const tokens = text.match(/"[^"\\]*(?:\\.[^"\\]*)*"|[{[]\s*[}\]]|[{}[\],:]|[^\s{}[\],:"]+/gs) ?? []
  const written = tokens.map((token) => {
    if (token === "{" || token === "[") return ++depth, token + line()
    if (token === "}" || token === "]") return --depth, line() + token
    if (token === ",") return token + line()
    if (token === ":") return ": "
    if (token.startsWith('"')) return JSON.stringify(JSON.parse(token))
    return token.replace(/\s/g, "")
  })
  return written.join("")
}

/** Returns the number that was typed, with its digits, or nothing where it is none. */
export function numberOf(text: string): number | ExactNumber | undefined {
  const [typed, sign, whole = "", fraction = "", exponent = ""] = TYPED.exec(text.trim()) ?? []
  if (!typed || !/\d/.test(typed.replace(/e.*/i, ""))) return undefined
  const digits = `${sign === "-" ? "-" : ""}${whole || "0"}${fraction}${exponent}`
  return isDouble(digits) ? Number(digits) : new ExactNumber(digits)
}

/** Whether two values of JSON are the same; numbers are by what they count: `100.00` is `100`. */
export function isSame(one: unknown, other: unknown): boolean {
  const counted = (value: unknown) => stringify(value, 0, (_, each) => (typeof each === "number" || each instanceof ExactNumber ? amountOf(String(each)) : each))
  return counted(one) === counted(other)
}

/** Whether a value of JSON is an object with fields: no list, no number, not null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && !(value instanceof ExactNumber)
}

function isDouble(digits: string): boolean {
  return String(Number(digits)) === digits
}

/** Returns what equal numbers share: their sign, their significant digits, and the power of ten of the last one. */
function amountOf(digits: string): unknown {
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = PARTS.exec(digits) ?? []
  const all = (whole + fraction).replace(/^0+/, "")
  const significant = all.replace(/0+$/, "")
  const scale = Number(exponent) - fraction.length + all.length - significant.length
  return significant ? [sign, significant, scale] : []
}
