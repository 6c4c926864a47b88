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
  outcome_unknown: 'warning',
  looked_up: 'info',
  delivered: 'good',
  failed: 'bad',
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
