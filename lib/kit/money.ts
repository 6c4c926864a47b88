/**
 * Money is a bigint of micros: millionths of the currency's unit. This trade prices below a cent (an IPv6 address,
 * a megabyte, 7 % of 30 cents), and a bigint neither rounds nor overflows. Text is parsed exactly; nothing here
 * passes through a floating-point number.
 */
export const MICROS_PER_UNIT = 1_000_000n

/** The most the ledger takes in one movement: a billion units. Anything above is a mistake or an attack. */
export const MAX_AMOUNT_MICROS = 1_000_000_000n * MICROS_PER_UNIT

/**
 * Reads a plain decimal ("12.50", "0,5") into micros. Returns null for anything else: signs, exponents, spaces inside,
 * more than six decimals, amounts above MAX_AMOUNT_MICROS.
 */
export function parseAmount(text: string): bigint | null {
  const match = /^(\d{1,12})(?:[.,](\d{1,6}))?$/.exec(text.trim())
  if (!match) return null
  const micros = BigInt(match[1]!) * MICROS_PER_UNIT + BigInt((match[2] ?? '').padEnd(6, '0'))
  return micros > MAX_AMOUNT_MICROS ? null : micros
}

/** The exact decimal text of an amount, without trailing zeros beyond two decimals: "12.50", "0.004". */
export function amountText(micros: bigint): string {
  const sign = micros < 0n ? '-' : ''
  const abs = micros < 0n ? -micros : micros
  const decimals = (abs % MICROS_PER_UNIT)
    .toString()
    .padStart(6, '0')
    .replace(/0{1,4}$/, '')
  return `${sign}${abs / MICROS_PER_UNIT}.${decimals}`
}

/** A hundredth of the currency unit, in micros. */
export const CENT_MICROS = 10_000n

/** Whether the amount is in whole hundredths, which is all that a provider that knows only cents can be asked for. */
export function isWholeCents(micros: bigint): boolean {
  return micros % CENT_MICROS === 0n
}

/** The smallest whole-cent amount that is not below `micros`. */
export function ceilToCents(micros: bigint): bigint {
  return ((micros + CENT_MICROS - 1n) / CENT_MICROS) * CENT_MICROS
}

/**
 * An amount for the eye, in the person's locale: "12.50 USD", "12,50 USD". Shows hundredths, and up to six decimals
 * where the amount has them, so that nothing is rounded silently.
 */
export function formatMoney(micros: bigint, currency: string, locale = 'en'): string {
  const [whole = '0', decimals = '00'] = amountText(micros < 0n ? -micros : micros).split('.')
  const grouped = new Intl.NumberFormat(locale, { useGrouping: true }).format(BigInt(whole))
  const point = new Intl.NumberFormat(locale).formatToParts(1.5).find((part) => part.type === 'decimal')!.value
  return `${micros < 0n ? '−' : ''}${grouped}${point}${decimals}\u00a0${currency}`
}
