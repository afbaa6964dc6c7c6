// A caller written against the generated types: it compiles only while they say what is sent and answered.
import type { components, paths } from "./schema";

type Send = paths["/api/bpm/cmd"]["post"];
type Body = Send["requestBody"]["content"]["application/json"];
type Answer = components["schemas"]["GetUserListQueryAnswer"];

export const listed: Body = { $type: "GetUserListQuery", pageSize: 20 };

export function names(answer: Answer): string[] {
  return answer.data.items.map((user) => user.username);
}

// @ts-expect-error there is no such message
export const unknown: Body = { $type: "NoSuchQuery" };
