import { getTranslations } from 'next-intl/server'
import { Money } from '@/components/ui/money'
import { env } from '@/lib/env'
import type { PriceDifference } from '@/lib/prices'

/** What changes from one list of prices to another, a sentence for each period, then the quantity steps. For staff and customers alike. */
export async function PriceDifferenceList({ difference }: { difference: PriceDifference }) {
  const [say, common] = await Promise.all([getTranslations('prices'), getTranslations('common')])
  const money = (micros: bigint) => <Money micros={micros} currency={env().SHOP_CURRENCY} />
  if (difference.periods.length === 0 && difference.steps === null) return <p>{say('nothingDiffers')}</p>
  return (
    <ul className="flex flex-col gap-1">
      {difference.periods.map(({ days, beforeMicros, afterMicros }) => {
        const period = common('days', { count: days })
        const key = beforeMicros === null ? 'periodNew' : afterMicros === null ? 'periodGone' : 'periodMoves'
        return (
          <li key={days}>
            {say.rich(key, { period, before: () => money(beforeMicros ?? 0n), after: () => money(afterMicros ?? 0n) })}
          </li>
        )
      })}
      {difference.steps !== null && (
        <li>
          {difference.steps.length === 0
            ? say('stepsGone')
            : say('stepsMove', {
                steps: difference.steps
                  .map(({ fromQuantity, discountBasisPoints }) =>
                    say('step', { quantity: fromQuantity, percent: discountBasisPoints / 100 }),
                  )
                  .join(', '),
              })}
        </li>
      )}
    </ul>
  )
}
