// What users are called, for lists that know only their ids.

import { useAsk } from "../../asking"
import { account, may } from "../../session"

const MOST = 200

/** Returns what a user is called; of one beyond the first 200, or who may not be seen, the id. */
export function useUserNames(): (id: number) => string {
  const asked = useAsk(may("users:read") ? { $type: "GetUserListQuery", pageSize: MOST } : null)
  const names = new Map(asked.data?.items.map((user) => [user.id, user.username]))
  return (id) => names.get(id) ?? (account.value?.id === `user:${id}` ? account.value.name : `user ${id}`)
}
