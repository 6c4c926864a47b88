import { env } from '@/lib/env'
import type { Quote } from '@/lib/suppliers'
import { configuredSuppliers } from './suppliers-in-use'
import { supplyRules } from './supply-rules'

/** An amount of a supplier's currency in the shop's, by a rate in decimal text, rounded up: a cost is never understated. */
export function costInShop(micros: bigint, rate: string): bigint {
  const [whole = '', part = ''] = rate.split('.')
  const scale = 10n ** BigInt(part.length)
  return (micros * BigInt(whole + part) + scale - 1n) / scale
}

/** What each supplier's currency is worth, by supplier; what a cost is compared and summed with. */
export async function readRates(): Promise<(supplier: string, currency: string | null) => string | null> {
  const suppliers = await configuredSuppliers()
  const rates = new Map(suppliers.map(({ name, rate }) => [name, rate]))
  return (supplier, currency) => {
    if (currency === env().SHOP_CURRENCY) return '1'
    const rate = rates.get(supplier)
    return rate && rate.currency === currency ? rate.rate : null
  }
}

/**
 * Whether something may be bought at this price when the customer pays `paidMicros` for it, by the operator's rules. A cost that cannot be known (no quote,
 * or a currency without a rate) is let through unless the rules say otherwise.
 */
export async function isTooDear(supplier: string, quote: Quote | null, paidMicros: bigint): Promise<boolean> {
  const [rules, rateOf] = await Promise.all([supplyRules.read(), readRates()])
  const rate = quote && rateOf(supplier, quote.currency)
  if (!quote || rate === null) return rules.needsQuote
  return !rules.allowLoss && costInShop(quote.costMicros, rate) > paidMicros
}
