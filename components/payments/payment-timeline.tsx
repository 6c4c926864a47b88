import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { Money } from '@/components/ui/money'
import { ExactTime } from '@/components/ui/time'
import { Timeline, type TimelineItem } from '@/components/ui/timeline'
import type { Tone } from '@/components/ui/tones'
import type { TimelineEvent } from '@/lib/payments'
import { sayReviewReason } from './payment-words'

const TONES: Record<string, Tone> = {
  provider_unavailable: 'warning',
  confirming: 'info',
  underpaid: 'warning',
  needs_review: 'warning',
  second_invoice: 'warning',
  credited: 'good',
  redeposit: 'info',
  refund_begun: 'info',
  refunded: 'neutral',
  refund_failed: 'warning',
  disputed: 'bad',
  dispute_won: 'good',
  dispute_lost: 'bad',
  return_unbooked: 'bad',
  bonus: 'good',
  bonus_missed: 'warning',
}

/** What happened to a payment, each fact a sentence with its time. */
export async function PaymentTimeline({
  events,
  currency,
  chargeCurrency,
  isRunning,
}: {
  events: TimelineEvent[]
  currency: string
  /** In which amounts that came are told. */
  chargeCurrency: string
  isRunning: boolean
}) {
  const items: TimelineItem[] = []
  for (const [index, event] of events.entries()) {
    const text = await sayEvent(event, currency, chargeCurrency)
    if (text)
      items.push({
        key: String(index),
        tone: TONES[event.kind] ?? 'neutral',
        text,
        at: <ExactTime at={event.at} />,
      })
  }
  return <Timeline isRunning={isRunning} items={items} />
}

async function sayEvent(event: TimelineEvent, currency: string, chargeCurrency: string): Promise<ReactNode> {
  const say = await getTranslations('payments')
  const data = (event.data ?? {}) as Record<string, unknown>
  const money = (unit: string) => (micros: unknown) => () => (
    <Money micros={typeof micros === 'string' ? BigInt(micros) : 0n} currency={unit} />
  )
  const amount = money(currency)
  const came = money(chargeCurrency)
  switch (event.kind) {
    case 'created':
      return say.rich('event_created', { amount: amount(data.requestedMicros) })
    case 'awaiting':
      return say('event_awaiting')
    case 'provider_unavailable':
      return say('event_provider_unavailable')
    case 'confirming':
      return say.rich('event_confirming', { received: came(data.receivedMicros) })
    case 'underpaid':
      return say.rich('event_underpaid', { received: came(data.receivedMicros) })
    case 'expired':
      return say('event_expired')
    case 'cancelled':
      return say('event_cancelled')
    case 'needs_review':
      return say('event_needs_review', { reason: await sayReviewReason(data.reason) })
    case 'second_invoice':
      return say('event_second_invoice')
    case 'review_decided':
      return say(data.decision === 'credit_received' ? 'event_review_credit' : 'event_review_decline')
    case 'credited':
      return data.debtPaidMicros
        ? say.rich('event_credited_debt', { amount: amount(data.creditedMicros), debt: amount(data.debtPaidMicros) })
        : say.rich('event_credited', { amount: amount(data.creditedMicros) })
    case 'bonus':
      return say.rich('event_bonus', { amount: amount(data.bonusMicros), code: String(data.code ?? '') })
    case 'bonus_missed':
      return say('event_bonus_missed', { reason: String(data.reason ?? ''), code: String(data.code ?? '') })
    case 'bonus_back':
    case 'bonus_again':
      return say.rich(`event_${event.kind}`, { amount: amount(data.amountMicros) })
    case 'redeposit':
      return say.rich('event_redeposit', { amount: came(data.receivedMicros) })
    case 'disputed':
      return data.owedMicros
        ? say.rich('event_disputed_owed', { amount: amount(data.amountMicros), owed: amount(data.owedMicros) })
        : say.rich('event_disputed', { amount: amount(data.amountMicros) })
    case 'refund_begun':
    case 'refunded':
    case 'refund_failed':
    case 'dispute_won':
    case 'dispute_lost':
    case 'return_unbooked':
      return say.rich(`event_${event.kind}`, { amount: amount(data.amountMicros) })
    case 'corrected': {
      const moved = typeof data.movedMicros === 'string' ? data.movedMicros : '0'
      return say.rich(moved.startsWith('-') ? 'event_corrected_taken' : 'event_corrected_given', {
        amount: amount(moved.replace('-', '')),
      })
    }
    default:
      return null
  }
}
