import { z } from 'zod'

// Safe in the browser: no database behind these.

export const PROXY_STATES = ['held', 'live', 'grace', 'ended', 'all'] as const
export const PROXY_CHECKS = ['working', 'failing', 'never'] as const
export const PROXY_SORTS = ['expiry', 'country', 'host', 'added', 'check'] as const
export type ProxySort = (typeof PROXY_SORTS)[number]

/** The limits of what a customer may note about proxies. */
export const MARK_LIMITS = { label: 60, note: 500, tag: 40, tagsPerProxy: 50, tagsInAll: 500 } as const
/** How many proxies one selection takes, and how many saved views a customer has. */
export const SELECTION_MAX = 10_000
export const VIEWS_MAX = 20

/**
 * An empty field of a form is no filter, and neither is one that says nothing this table knows: a filter comes from addresses people edit. A zero byte, which a
 * query kept in a form may still hold in its escaped form, is nothing that the database could be asked for.
 */
function field<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((value) => {
    const first: unknown = Array.isArray(value) ? value[0] : value
    return first === '' || (typeof first === 'string' && first.includes('\0')) ? undefined : first
  }, schema.optional().catch(undefined))
}

/**
 * Which of a customer's proxies: from the address of the table, a saved view or a feed. `held` (what is left out means it): works now or is in its
 * grace. What it does not understand is left out rather than refused.
 */
export const proxyFilterSchema = z.object({
  /** Part of an address, port, login, label, note, tag or order number. */
  q: field(
    z
      .string()
      .transform((text) => text.trim().replace(/\s+/g, ' '))
      .pipe(z.string().min(1).max(100)),
  ),
  state: field(z.enum(PROXY_STATES)),
  country: field(z.string().regex(/^[A-Z]{2}$/)),
  plan: field(z.string().regex(/^pln_[0-9a-f]{32}$/)),
  order: field(z.string().regex(/^ord_[0-9a-f]{32}$/)),
  tag: field(z.string().trim().min(1).max(MARK_LIMITS.tag)),
  /** Ends within so many days. */
  days: field(z.coerce.number().int().min(1).max(366)),
  check: field(z.enum(PROXY_CHECKS)),
})
export type ProxyFilter = z.output<typeof proxyFilterSchema>

/** How the table is ordered; `-` turns it round. */
export const proxySortSchema = field(z.enum(PROXY_SORTS.flatMap((sort) => [sort, `-${sort}` as const])))
export type ProxyOrder = NonNullable<z.output<typeof proxySortSchema>>

/** The filter as the query of an address, in one order of names; empty for no filter. */
export function filterQuery(filter: ProxyFilter): string {
  const params = new URLSearchParams()
  for (const name of Object.keys(proxyFilterSchema.shape) as (keyof ProxyFilter)[]) {
    const value = filter[name]
    if (value !== undefined) params.set(name, String(value))
  }
  return params.toString()
}

/** The filter that such a query says. */
export function readFilter(query: string): ProxyFilter {
  return proxyFilterSchema.parse(Object.fromEntries(new URLSearchParams(query)))
}
