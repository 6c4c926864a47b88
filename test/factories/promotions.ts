import { newId } from '@/lib/kit'
import { createBatch, makeVouchers, savePromotion, savePromotionSchema } from '@/lib/promotions'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
let made = 0

/** A code by the form and the command that staff use; ten per cent off, unless said otherwise. */
export async function makePromotion(
  terms: Record<string, unknown> = {},
): Promise<{ promotionId: string; code: string }> {
  const code = `T${(made += 1)}-${newId('req').slice(-10).toUpperCase()}`
  const isBare = terms.kind === undefined
  const form = {
    code,
    label: 'For a test',
    kind: 'percent',
    ...(isBare && { percent: '10' }),
    ...terms,
  }
  const saved = await savePromotion(STAFF, savePromotionSchema.parse(form))
  if (!saved.ok) throw new Error(saved.refusal.code)
  return { promotionId: saved.value.promotionId, code: String(form.code) }
}

/** A batch of vouchers with its codes. */
export async function makeVoucherBatch(
  input: { amountMicros?: bigint; count?: number; endsAt?: Date } = {},
): Promise<{ batchId: string; codes: string[] }> {
  const { batchId } = await createBatch(STAFF, {
    label: 'For a test',
    amountMicros: input.amountMicros ?? 5_000_000n,
    count: input.count ?? 1,
    endsAt: input.endsAt,
  })
  const vouchers = await makeVouchers(STAFF, { batchId })
  if (!vouchers.ok) throw new Error(vouchers.refusal.code)
  return { batchId, codes: vouchers.value.codes }
}
