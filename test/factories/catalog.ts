import {
  findPlan,
  priceOf,
  saveOffer,
  savePlan,
  saveProduct,
  type SaveProductInput,
  type SupplierName,
} from '@/lib/catalog'
import { newId } from '@/lib/kit'
import { importStock } from '@/lib/provisioning'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
let made = 0

export type PlanOnSale = { planId: string; offerId: string; slug: string; countryCode: string; revision: number }

/** A product with one plan and one offer, made through the commands an admin uses; for stock with as many units as asked. */
export async function makePlan(
  input: {
    supplier?: SupplierName
    units?: number
    unitPriceMicros?: bigint
    minQuantity?: number
    maxQuantity?: number
    countryCode?: string
    /** What the offer says to its supplier, as typed. */
    params?: Record<string, string>
    kind?: SaveProductInput['kind']
  } = {},
): Promise<PlanOnSale> {
  const { supplier = 'stock', units = 10, unitPriceMicros = 1_000_000n, maxQuantity = 1000, countryCode = 'NL' } = input
  const slug = `plan-${(made += 1)}-${newId('req').slice(-8)}`
  const product = await saveProduct(STAFF, {
    slug,
    kind: input.kind ?? 'datacenter_ipv4',
    nameEn: 'Datacenter IPv4',
    nameRu: 'Серверные IPv4',
    descriptionEn: 'Made for a test.',
    descriptionRu: 'Сделано для проверки.',
    isActive: true,
  })
  if (!product.ok) throw new Error(product.refusal.code)
  const plan = await savePlan(STAFF, {
    productId: product.value.productId,
    slug,
    nameEn: 'Plan',
    nameRu: 'Тариф',
    minQuantity: input.minQuantity ?? 1,
    maxQuantity,
    isActive: true,
    periods: [{ days: 30, unitPriceMicros }],
    steps: [{ fromQuantity: 10, discountBasisPoints: 500 }],
  })
  if (!plan.ok) throw new Error(plan.refusal.code)
  const { planId, revision } = plan.value
  const offer = await saveOffer(STAFF, {
    planId,
    countryCode,
    supplier,
    priority: 0,
    isActive: true,
    params: input.params,
  })
  if (!offer.ok) throw new Error(offer.refusal.code)
  const { offerId } = offer.value
  if (supplier === 'stock' && units > 0) await addUnits(offerId, units)
  return { planId, offerId, slug, countryCode, revision }
}

/** Puts units into stock by the import an admin uses. */
export async function addUnits(offerId: string, units: number): Promise<void> {
  const batch = newId('req').slice(-10)
  const lines = Array.from(
    { length: units },
    (_, index) => `192.0.2.${index % 250}:${10_000 + Math.floor(index / 250)}:u${batch}${index}:pw`,
  )
  const imported = await importStock(STAFF, { offerId, text: lines.join('\n') })
  if (!imported.ok) throw new Error(imported.refusal.code)
}

/** What a customer would send for this plan, at its present price. */
export async function orderFor(plan: PlanOnSale, quantity = 1, requestKey = newId('req')) {
  const found = await findPlan(plan.planId, { fresh: true })
  const price = found && priceOf(found.plan, { periodDays: 30, quantity })
  if (!price) throw new Error('this plan does not sell that quantity')
  return {
    planId: plan.planId,
    countryCode: plan.countryCode,
    periodDays: 30,
    quantity,
    totalMicros: price.totalMicros,
    requestKey,
  }
}
