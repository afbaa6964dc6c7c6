// What the elements of a process are called, as its file says it.

/** Returns the name of an element by its id; the id of one that has none. */
export function namesOf(xml: string | undefined): (id: string) => string {
  const named = xml ? [...new DOMParser().parseFromString(xml, "text/xml").querySelectorAll("[id][name]")] : []
  const names = new Map(named.map((element) => [element.id, element.getAttribute("name") ?? ""]))
  return (id) => names.get(id) || id
}
