import type { Choice } from './choice'

/** The address of a plan's page, with a choice when there is one. */
export function planPath(slug: string, choice?: Choice): string {
  const query =
    choice && new URLSearchParams({ ...choice, days: String(choice.days), quantity: String(choice.quantity) })
  return `/catalogue/${slug}${query ? `?${query.toString()}` : ''}`
}
