import { getTranslations } from 'next-intl/server'
import { PriceDifferenceList } from '@/components/admin/price-difference'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { ExactTime } from '@/components/ui/time'
import type { CatalogPlan } from '@/lib/catalog'
import { env } from '@/lib/env'
import { differenceOf, listPlannedChanges, listRenewalChanges } from '@/lib/prices'

/** What a plan will cost, from when on. Nothing while nothing is planned. */
export async function PlannedPrices({ plan }: { plan: CatalogPlan }) {
  const [say, changes] = await Promise.all([getTranslations('prices'), listPlannedChanges({ planId: plan.id })])
  const shown = changes
    .map((change, index) => ({
      ...change,
      difference: differenceOf(index === 0 ? plan : changes[index - 1]!.prices, change.prices),
    }))
    .filter(({ difference }) => difference.periods.length > 0 || difference.steps !== null)
  if (shown.length === 0) return null
  return (
    <Card title={say('plannedTitle')} lead={say('plannedLead')}>
      <div className="flex flex-col gap-4 text-sm">
        {shown.map(({ changeId, at, difference }) => (
          <section key={changeId}>
            <h3 className="mb-1 font-medium">{say.rich('from', { at: () => <ExactTime at={at} /> })}</h3>
            <PriceDifferenceList difference={difference} />
          </section>
        ))}
      </div>
    </Card>
  )
}

/** For an order that renews itself: what its next renewals will cost a piece, where that is about to change. */
export async function RenewalPriceNotice({ userId, orderId }: { userId: string; orderId: string }) {
  const [say, common, changes] = await Promise.all([
    getTranslations('prices'),
    getTranslations('common'),
    listRenewalChanges({ userId, orderId }),
  ])
  if (changes.length === 0) return null
  const money = (micros: bigint) => <Money micros={micros} currency={env().SHOP_CURRENCY} />
  return (
    <Alert title={say('renewalTitle')}>
      <ul>
        {changes.map(({ changeId, at, days, beforeMicros, afterMicros }) => (
          <li key={changeId}>
            {say.rich(afterMicros === null ? 'renewalGone' : beforeMicros === null ? 'renewalNew' : 'renewalMoves', {
              at: () => <ExactTime at={at} />,
              period: common('days', { count: days }),
              before: () => money(beforeMicros ?? 0n),
              after: () => money(afterMicros ?? 0n),
            })}
          </li>
        ))}
      </ul>
      <p className="mt-1">{say('renewalAgreed')}</p>
    </Alert>
  )
}
