import { getTranslations } from 'next-intl/server'
import { PaperLink } from '@/components/papers/paper-link'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { Status } from '@/components/ui/status'
import { ExactTime } from '@/components/ui/time'
import type { Tone } from '@/components/ui/tones'
import type { listRenewals } from '@/lib/orders'

const TONES: Record<string, Tone> = { held: 'info', done: 'good', failed: 'bad' }

/** What was renewed of an order, newest first, each with what it cost and its invoice. Nothing while there is none. */
export async function RenewalList({
  orderId,
  renewals,
}: {
  orderId: string
  renewals: Awaited<ReturnType<typeof listRenewals>>
}) {
  const [say, common] = await Promise.all([getTranslations('orders'), getTranslations('common')])
  if (renewals.length === 0) return null
  return (
    <Card title={say('renewals')}>
      <ul className="flex flex-col divide-y text-sm">
        {renewals.map((renewal) => (
          <li key={renewal.id} className="flex flex-wrap items-center justify-between gap-x-4 gap-y-2 py-3">
            <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
              <Status tone={TONES[renewal.state] ?? 'neutral'}>{say(`renewal_${renewal.state as 'done'}`)}</Status>
              <span>
                {common('pieces', { count: renewal.quantity })}, {common('days', { count: renewal.periodDays })}
                {renewal.isAutomatic && `, ${say('renewalAutomatic')}`}
              </span>
              <span className="text-muted">
                <ExactTime at={renewal.createdAt} />
              </span>
            </span>
            <span className="flex items-center gap-3">
              <Money
                micros={renewal.state === 'held' ? renewal.totalMicros : renewal.capturedMicros}
                currency={renewal.currency}
              />
              {renewal.state === 'done' && (
                <PaperLink href={`/account/orders/${orderId}/renewals/${renewal.id}/invoice`} kind="invoice" />
              )}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  )
}
