import { getLocale } from 'next-intl/server'
import { formatMoney } from '@/lib/kit'

/** An amount with its currency in the reader's writing, nothing rounded, in figures that stand under each other. `isSigned` shows a plus too. */
export async function Money({
  micros,
  currency,
  isSigned = false,
  className = '',
}: {
  micros: bigint
  currency: string
  isSigned?: boolean
  className?: string
}) {
  const text = formatMoney(micros, currency, await getLocale())
  return (
    <span className={`whitespace-nowrap tabular-nums ${className}`}>
      {isSigned && micros > 0n ? '+' : ''}
      {text}
    </span>
  )
}
