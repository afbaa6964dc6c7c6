// Commands for a terminal that send what the screen shows.

interface Sent {
  method: string
  url: string
  headers: Record<string, string>
  body: string
}

/** Returns a command of curl's; what stands in braces in an address is taken as it is. */
export function curlOf({ method, url, headers, body }: Sent): string {
  const lines = [
    `curl -X ${method} ${/[{}[\]]/.test(url) ? "--globoff " : ""}${quoted(url)}`,
    ...Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(body ? [`--data-raw ${quoted(body)}`] : []),
  ]
  return lines.join(" \\\n  ")
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
