import { BULK_NAMES } from '@/lib/holdings'

/**
 * Where a selection goes, by the button that was pressed. What has a preview of lib/holdings goes to the page of previews; another module adds a row
 * with its own page, which reads the selection by `findSelection`, and the button's word `proxies.do_<name>`.
 */
export const BULK_PLACES: readonly { name: string; path: (selectionId: string) => string }[] = [
  ...BULK_NAMES.map((name) => ({
    name,
    path: (selectionId: string) => `/account/proxies/selection/${selectionId}?do=${name}`,
  })),
  { name: 'export', path: (selectionId: string) => `/account/proxies/export?selection=${selectionId}` },
]

export function isBulkPlace(name: string): boolean {
  return BULK_PLACES.some((place) => place.name === name)
}

/** The page for a selection and a button; nothing else than what `isBulkPlace` knows. */
export function bulkPath(name: string, selectionId: string): string {
  return BULK_PLACES.find((place) => place.name === name)!.path(selectionId)
}
