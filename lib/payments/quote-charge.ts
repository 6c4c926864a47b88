import { env } from '@/lib/env'
import { ceilToCents, MAX_AMOUNT_MICROS } from '@/lib/kit'
import type { Provider } from './providers/provider'

/**
 * What a provider's page asks for an amount of the shop's currency: the same, or, where the operator set a currency and a rate for it, so many of those, rounded
 * up to a hundredth. Null when that would be more than can be counted. Amounts are micros.
 */
export function quoteCharge(
  provider: Pick<Provider, 'terms'>,
  amountMicros: bigint,
): { micros: bigint; currency: string } | null {
  const charge = provider.terms?.charge
  const currency = env().SHOP_CURRENCY
  if (!charge || charge.currency === currency) return { micros: amountMicros, currency }
  const [whole = '', part = ''] = charge.rate.split('.')
  const scale = 10n ** BigInt(part.length)
  const product = amountMicros * BigInt(whole + part)
  const micros = ceilToCents((product + scale - 1n) / scale)
  return micros > 0n && micros <= MAX_AMOUNT_MICROS ? { micros, currency: charge.currency } : null
}
