import type { Quote } from '@/lib/suppliers'
import { supplierForCall, watching } from './supplier-health'
import { enabledSupplierOf, type SupplierFor } from './suppliers-in-use'

/** What has to be said of an offer to ask its supplier for a price. */
export type QuotedOffer = { supplier: string; countryCode: string; supplierParams: unknown }

/**
 * What the supplier asks for so many pieces of an offer for a period, all together. Spends nothing. Null where it sells no such thing; throws OperationalError
 * when it cannot be asked (switched off, its circuit open, no answer).
 */
export async function quoteOffer(
  offer: QuotedOffer,
  choice: { periodDays: number; quantity: number },
  supplierFor: SupplierFor = enabledSupplierOf,
): Promise<Quote | null> {
  const supplier = await supplierForCall(offer.supplier, supplierFor)
  if (!supplier.capabilities.canBuy) return null
  return watching(offer.supplier, () =>
    supplier.quote({
      ...choice,
      countryCode: offer.countryCode.toLowerCase(),
      params: offer.supplierParams as Record<string, unknown>,
    }),
  )
}
