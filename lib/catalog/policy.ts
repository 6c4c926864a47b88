import { z } from 'zod'

// Pure, and safe in the browser: the form of an admin and the sentences of a product page read the same shape.

/**
 * One row of a product's policy: what is given when, for how long. Rows are read from above; the first that fits counts.
 * `dead`: the last check of the proxy failed; its clock starts when that proxy was handed over. `unused`: sold by the gigabyte, and no more than
 * `maxTrafficPercent` of it used. `any`: whatever the reason. The clock of both starts with the order.
 */
const rowSchema = z
  .object({
    when: z.enum(['dead', 'unused', 'any']),
    /** Null: as long as the proxy runs. */
    withinHours: z.number().int().min(1).max(8784).nullable(),
    maxTrafficPercent: z.number().int().min(0).max(100).nullable(),
    remedy: z.enum(['replace', 'refund']),
    /** Of a refund, or of a replacement for which there is nothing: how much of what was paid, or of what is left of it. 0: nothing. */
    refundPercent: z.number().int().min(0).max(100),
    of: z.enum(['paid', 'remaining']),
  })
  .refine((row) => (row.when === 'unused') === (row.maxTrafficPercent !== null), {
    path: ['maxTrafficPercent'],
    message: 'traffic_only_unused',
  })
  .refine((row) => row.remedy === 'replace' || row.refundPercent > 0, {
    path: ['refundPercent'],
    message: 'refund_of_nothing',
  })

export const policySchema = z.object({
  rows: z.array(rowSchema).max(10),
  /** How often one place of an order may be exchanged. */
  replacementsPerProxy: z.number().int().min(0).max(20),
  /** A proxy that fails its checks for longer than this in one stretch is credited for that time. Null: no promise. */
  downtimeHours: z.number().int().min(1).max(720).nullable(),
})
export type Policy = z.infer<typeof policySchema>
export type PolicyRow = Policy['rows'][number]

/** What holds for a product whose operator has not written a policy: nothing is promised, nothing is given by itself. */
export const NO_POLICY: Policy = { rows: [], replacementsPerProxy: 0, downtimeHours: null }

/** What the form for a first policy begins with. */
export const COMMON_POLICY: Policy = {
  rows: [
    { when: 'dead', withinHours: 24, maxTrafficPercent: null, remedy: 'replace', refundPercent: 100, of: 'paid' },
    {
      when: 'dead',
      withinHours: null,
      maxTrafficPercent: null,
      remedy: 'replace',
      refundPercent: 100,
      of: 'remaining',
    },
    { when: 'unused', withinHours: 24, maxTrafficPercent: 10, remedy: 'refund', refundPercent: 100, of: 'paid' },
  ],
  replacementsPerProxy: 2,
  downtimeHours: 12,
}
