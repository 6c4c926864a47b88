import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { db } from '@/lib/db'
import { log } from '@/lib/log'
import type { Supplier } from '@/lib/suppliers'
import { isSupplierSetUp, supplierOf } from './suppliers-in-use'

/** Asks each supplier what it has for our offers, so that pages and orders know. One that does not answer keeps its last figure. */
export async function syncStock(supplierFor: (name: string) => Supplier = supplierOf): Promise<void> {
  const offers = await db().offer.findMany({
    where: { isActive: true, supplier: { notIn: [...STOCK_SUPPLIERS] } },
    select: { id: true, supplier: true, countryCode: true, supplierParams: true },
  })
  for (const offer of offers) {
    if (!isSupplierSetUp(offer.supplier)) continue
    try {
      const stockCount = await supplierFor(offer.supplier).getStock(
        offer.countryCode,
        offer.supplierParams as Record<string, unknown>,
      )
      await db().offer.update({
        where: { id: offer.id },
        data: { stockCount, stockCheckedAt: new Date() },
        select: { id: true },
      })
    } catch (error) {
      log('provisioning').warn({ offerId: offer.id, error }, 'a supplier did not say what it has')
    }
  }
}
