import { getLocale, getTranslations } from 'next-intl/server'
import { Status } from '@/components/ui/status'
import { formatMoney } from '@/lib/kit'
import type { PromotionRow } from '@/lib/promotions'

/** What a code gives, in a few words. */
export async function sayGives(promotion: PromotionRow): Promise<string> {
  const [say, locale] = await Promise.all([getTranslations('promotions'), getLocale()])
  const { kind, percent, amountMicros, gigabytes, currency } = promotion
  const amount = formatMoney(amountMicros ?? 0n, currency, locale)
  if (kind === 'top_up_bonus')
    return percent === null ? say('gives_bonus_amount', { amount }) : say('gives_bonus_percent', { percent })
  if (kind === 'percent') return say('gives_percent', { percent: percent ?? 0 })
  return kind === 'amount' ? say('gives_amount', { amount }) : say('gives_gigabytes', { gigabytes: gigabytes ?? 0 })
}

/** Whether people can use a code now, and if not, why. */
export async function PromotionStatus({ promotion, now }: { promotion: PromotionRow; now: Date }) {
  const say = await getTranslations('promotions')
  const { isActive, startsAt, endsAt, maxUses, used } = promotion
  if (!isActive) return <Status>{say('off')}</Status>
  if (endsAt && endsAt <= now) return <Status>{say('over')}</Status>
  if (maxUses !== null && used >= maxUses) return <Status tone="warning">{say('usedUp')}</Status>
  if (startsAt && startsAt > now) return <Status tone="info">{say('notBegun')}</Status>
  return <Status tone="good">{say('on')}</Status>
}

type Batch = { madeAt: Date | null; withdrawnAt: Date | null; endsAt: Date | null }

/** Whether vouchers of a batch can be redeemed now, and if not, why. */
export async function BatchStatus({ batch, now }: { batch: Batch; now: Date }) {
  const say = await getTranslations('promotions')
  if (batch.withdrawnAt) return <Status>{say('withdrawn')}</Status>
  if (batch.endsAt && batch.endsAt <= now) return <Status>{say('over')}</Status>
  return batch.madeAt ? <Status tone="good">{say('inUse')}</Status> : <Status tone="info">{say('notMade')}</Status>
}
