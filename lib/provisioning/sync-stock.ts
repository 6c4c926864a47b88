import { STOCK_SUPPLIERS } from '@/lib/catalog'
import { db } from '@/lib/db'
import { log } from '@/lib/log'
import { GB_BYTES } from './buy-from'
import { supplierForCall, watching } from './supplier-health'
import { enabledSupplierOf, isSupplierSetUp, type SupplierFor } from './suppliers-in-use'

/** As many gigabytes as a page needs to know of. */
const MAX_GIGABYTES = 1_000_000n

/**
 * Asks each supplier what it has for our offers, so that pages and orders know: pieces, or whole gigabytes that its parent account can still grant. One that
 * does not answer, or whose circuit is open, keeps its last figure.
 */
export async function syncStock(supplierFor: SupplierFor = enabledSupplierOf): Promise<void> {
  const offers = await db().offer.findMany({
    where: { isActive: true, supplier: { notIn: [...STOCK_SUPPLIERS] } },
    select: { id: true, supplier: true, countryCode: true, supplierParams: true },
  })
  for (const offer of offers) {
    if (supplierFor === enabledSupplierOf && !(await isSupplierSetUp(offer.supplier))) continue
    try {
      const supplier = await supplierForCall(offer.supplier, supplierFor)
      const stockCount = await watching(offer.supplier, async () => {
        if (!supplier.traffic)
          return supplier.getStock(offer.countryCode, offer.supplierParams as Record<string, unknown>)
        const { availableBytes } = await supplier.traffic.getTraffic()
        const gigabytes = availableBytes / GB_BYTES
        return Number(gigabytes < MAX_GIGABYTES ? gigabytes : MAX_GIGABYTES)
      })
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
