import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Money } from '@/components/ui/money'
import { shortId } from '@/components/ui/short-id'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import type { StatementLine } from '@/lib/ledger'
import { sayCause } from '@/lib/papers'
import { paymentPath } from '@/lib/payments'
import { listOrderDiscounts } from '@/lib/promotions'

/** Movements of somebody's money: the cause in words with a link to it, the amount, the balance after. Figures are exact. */
export async function StatementTable({
  lines,
  currency,
  empty,
  audience = 'customer',
}: {
  lines: StatementLine[]
  currency: string
  empty: ReactNode
  /** Whose pages the links lead to. */
  audience?: 'customer' | 'staff'
}) {
  const [say, locale, discounts] = await Promise.all([
    getTranslations('statement'),
    getLocale(),
    listOrderDiscounts(lines.filter((line) => line.cause === 'hold').map((line) => line.sourceId)),
  ])
  const discountOf = ({ cause, sourceId }: StatementLine) => {
    const discount = cause === 'hold' ? discounts.get(sourceId) : undefined
    if (!discount) return null
    return (
      <span className="block text-muted">
        {say.rich('withCode', {
          code: discount.code,
          discount: () => <Money micros={discount.amountMicros} currency={currency} />,
        })}
      </span>
    )
  }
  const sourceOf = ({ sourceKind, sourceId }: StatementLine) => {
    const link = 'text-accent underline whitespace-nowrap'
    if (sourceKind === 'order')
      return (
        <Link href={`${audience === 'staff' ? '/admin' : '/account'}/orders/${sourceId}`} className={link}>
          {say('toOrder', { id: shortId(sourceId) })}
        </Link>
      )
    if (sourceKind === 'payment')
      return (
        <Link href={audience === 'staff' ? `/admin/payments/${sourceId}` : paymentPath(sourceId)} className={link}>
          {say('toPayment', { id: shortId(sourceId) })}
        </Link>
      )
    if (sourceKind === 'referral' && audience === 'customer')
      return (
        <Link href="/account/referrals/payouts" className={link}>
          {say('toReferrals')}
        </Link>
      )
    return null
  }
  return (
    <DataTable
      caption={say('caption')}
      rows={lines}
      rowKey={(line) => String(line.version)}
      empty={empty}
      columns={[
        { key: 'time', head: say('time'), cell: (line) => <ExactTime at={line.happenedAt} /> },
        {
          key: 'cause',
          head: say('cause'),
          cell: (line) => (
            <>
              {sayCause(line.cause, locale)} {sourceOf(line)}
              {discountOf(line)}
            </>
          ),
        },
        {
          key: 'amount',
          head: say('amount'),
          isNumber: true,
          cell: (line) => (
            <Money
              micros={line.amountMicros}
              currency={currency}
              isSigned
              className={line.amountMicros > 0n ? 'text-good' : ''}
            />
          ),
        },
        {
          key: 'after',
          head: say('after'),
          isNumber: true,
          cell: (line) => <Money micros={line.balanceAfterMicros} currency={currency} />,
        },
      ]}
    />
  )
}
