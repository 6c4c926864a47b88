import { getTranslations } from 'next-intl/server'
import { Money } from '@/components/ui/money'
import { ExactTime } from '@/components/ui/time'
import { Timeline } from '@/components/ui/timeline'
import type { Tone } from '@/components/ui/tones'
import { OPEN_ORDER_STATES, type OrderDetails, type OrderEventKind } from '@/lib/orders'

const TONES: Record<OrderEventKind, Tone> = {
  placed: 'neutral',
  supplier_called: 'info',
  supplier_refused: 'warning',
  source_changed: 'info',
  outcome_unknown: 'warning',
  looked_up: 'info',
  delivered: 'good',
  failed: 'bad',
  cancelled: 'neutral',
  renewal_held: 'info',
  renewed: 'good',
  renewal_failed: 'bad',
  renewal_short: 'warning',
  renewal_dearer: 'warning',
  renewal_switched: 'neutral',
  in_grace: 'warning',
  expired: 'neutral',
  replacement_asked: 'info',
  not_replaced: 'bad',
  replaced: 'info',
  access_changed: 'info',
  credited: 'info',
  withdrawn: 'bad',
}

/** What happened to an order, each fact a sentence with its time. */
export async function OrderTimeline({ order }: { order: OrderDetails }) {
  const say = await getTranslations('orders')
  const { currency } = order
  const amount = (micros: unknown) => () => (
    <Money micros={typeof micros === 'string' ? BigInt(micros) : 0n} currency={currency} />
  )
  const sentence = ({ kind, data }: OrderDetails['events'][number]) => {
    switch (kind) {
      case 'placed':
        return say.rich('event_placed', { amount: amount(data.heldMicros) })
      case 'delivered': {
        const facts = {
          delivered: Number(data.delivered),
          amount: amount(data.capturedMicros),
        }
        return data.releasedMicros === '0'
          ? say.rich('event_delivered', facts)
          : say.rich('event_delivered_part', {
              ...facts,
              ordered: Number(data.ordered),
              released: amount(data.releasedMicros),
            })
      }
      case 'failed':
        return say.rich(data.reason === 'sold_out' ? 'event_failed_sold_out' : 'event_failed_supplier_failed', {
          released: amount(data.releasedMicros),
        })
      case 'cancelled':
      case 'renewal_failed':
        return say.rich(`event_${kind}`, { reason: String(data.reason), released: amount(data.releasedMicros) })
      case 'renewal_held':
        return say.rich('event_renewal_held', { amount: amount(data.heldMicros) })
      case 'renewed':
        return say.rich('event_renewed', {
          quantity: Number(data.quantity),
          days: Number(data.periodDays),
          automatic: String(data.automatic),
          amount: amount(data.capturedMicros),
        })
      case 'renewal_switched':
        return say('event_renewal_switched', { state: data.isOn === true ? 'on' : 'off' })
      case 'in_grace':
        return say.rich('event_in_grace', {
          until: () => (typeof data.until === 'string' ? <ExactTime at={new Date(data.until)} /> : '–'),
        })
      case 'access_changed':
        return say('event_access_changed', { quantity: Number(data.quantity), change: String(data.change) })
      case 'expired':
        return say('event_expired', { quantity: Number(data.quantity) })
      case 'credited':
        return say.rich('event_credited', {
          quantity: Number(data.quantity),
          cause: String(data.cause),
          amount: amount(data.amountMicros),
        })
      default:
        return say(`event_${kind}`)
    }
  }
  return (
    <Timeline
      isRunning={OPEN_ORDER_STATES.includes(order.state)}
      items={order.events.map((event, index) => ({
        key: String(index),
        tone: TONES[event.kind],
        text: sentence(event),
        at: <ExactTime at={event.at} />,
      }))}
    />
  )
}
