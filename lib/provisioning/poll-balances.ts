import { db } from '@/lib/db'
import { DAY_MS, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { forecastOf } from './forecast'
import { supplierForCall, watching } from './supplier-health'
import { configuredSuppliers, enabledSupplierOf, type SupplierFor } from './suppliers-in-use'
import { supplyRules } from './supply-rules'

/** How long balances are kept: long enough to see a season. */
const KEPT_DAYS = 90

/**
 * Asks every supplier that is switched on what of ours lies there, keeps the answers for ninety days, and says in the log what runs dry sooner than the
 * rules allow. One that does not answer is passed over. Returns how many answered.
 */
export async function pollBalances(supplierFor: SupplierFor = enabledSupplierOf): Promise<number> {
  const { warnDays } = await supplyRules.read()
  let answered = 0
  for (const { name, model, isEnabled } of await configuredSuppliers()) {
    // A pool's plan is paid by the month, and nothing is taken from its balance by a sale.
    if (!isEnabled || model === 'pool') continue
    try {
      const supplier = await supplierForCall(name, supplierFor)
      const data = await watching(name, async () =>
        supplier.traffic
          ? { availableBytes: (await supplier.traffic.getTraffic()).availableBytes }
          : await supplier.getBalance(),
      )
      await db().supplierBalance.create({ data: { supplier: name, ...data }, select: { id: true } })
      answered += 1
      const dryInDays = (await forecastOf(name))?.dryInDays ?? null
      if (dryInDays !== null && dryInDays < warnDays)
        log('provisioning').error({ supplier: name, dryInDays }, 'what lies at a supplier runs dry soon')
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      log('provisioning').warn({ supplier: name, error }, 'a supplier did not tell its balance')
    }
  }
  await db().supplierBalance.deleteMany({ where: { at: { lt: new Date(Date.now() - KEPT_DAYS * DAY_MS) } } })
  return answered
}

/** How many suppliers that are switched on run dry sooner than the rules allow; for the overview. */
export async function countRunningDry(): Promise<number> {
  const [{ warnDays }, suppliers] = await Promise.all([supplyRules.read(), configuredSuppliers()])
  const forecasts = await Promise.all(
    suppliers.filter(({ isEnabled }) => isEnabled).map(({ name }) => forecastOf(name)),
  )
  return forecasts.filter((each) => each && each.dryInDays !== null && each.dryInDays < warnDays).length
}
