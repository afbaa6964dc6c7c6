// Steps through the pages of a list; where one is stands in the address.

import { refine } from "../router"
import { Button } from "./button"

interface Props {
  page: { pageNumber: number; totalPages: number; hasNextPage: boolean; hasPreviousPage: boolean; totalIsExact?: boolean }
}

export function Pager({ page }: Props) {
  const turn = (by: number) => refine({ page: String(page.pageNumber + by) })
  return (
    <nav class="pager" aria-label="Pages">
      <Button kind="quiet" icon="left" disabled={!page.hasPreviousPage} onClick={() => turn(-1)}>
        Newer
      </Button>
      <span>
        {page.pageNumber} of {page.totalIsExact === false ? "many" : page.totalPages}
      </span>
      <Button kind="quiet" disabled={!page.hasNextPage} onClick={() => turn(1)}>
        Older
      </Button>
    </nav>
  )
}
