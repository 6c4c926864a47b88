/** A page of rows, newest first. `nextBefore` is the id to ask for the next page with; null at the end. */
export type Page<Row> = { rows: Row[]; nextBefore: string | null }

/** The page of what was read with one row more than it shows: the row too many says only that there is a next page. */
export function pageOf<Row extends { id: string }>(rows: Row[], limit: number): Page<Row> {
  const shown = rows.slice(0, limit)
  return { rows: shown, nextBefore: rows.length > limit ? shown.at(-1)!.id : null }
}
