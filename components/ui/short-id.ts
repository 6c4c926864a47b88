/** The end of an id, which is its random part: enough for a person to tell two apart. Links and support use the whole. */
export function shortId(id: string): string {
  return id.slice(-8)
}
