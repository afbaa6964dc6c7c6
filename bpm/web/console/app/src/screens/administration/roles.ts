// The roles that the product knows, and what each is for.

export const ROLES = [
  { value: "viewer", label: "viewer", about: "sees everything and changes nothing" },
  { value: "operator", label: "operator", about: "also mends: rules, requests, processes, tasks, deliveries, payments" },
  { value: "author", label: "author", about: "an operator who also publishes events and writes scripts" },
  { value: "publisher", label: "publisher", about: "reads and publishes events, and nothing else" },
  { value: "admin", label: "admin", about: "may do everything, users and keys included" },
]
