import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderDelivered: MailTemplate<EmailProps['order_delivered']> = {
  subject: (props, { say }) => say('order_delivered.subject', { quantity: props.quantity }),
  Mail: ({ props, context: { say, money, time, frame, url } }) => {
    const expires = time(props.expiresAt)
    const refunded = money(props.refundedMicros, props.currency)
    const missing = props.ordered - props.quantity
    return (
      <MailLayout
        {...frame()}
        preview={say('order_delivered.preview', { expires })}
        paragraphs={[
          say('order_delivered.text', { quantity: props.quantity, expires }),
          ...(missing > 0 ? [say('order_delivered.partly', { ordered: props.ordered, missing, refunded })] : []),
        ]}
        facts={[
          [say('order_delivered.order'), props.orderId],
          [say('order_delivered.total'), money(props.totalMicros, props.currency)],
          ...(missing > 0 ? [[say('order_delivered.refunded'), refunded] as [string, string]] : []),
          [say('order_delivered.expires'), expires],
        ]}
        action={{ label: say('order_delivered.action'), url: url(`/account/orders/${props.orderId}`) }}
      />
    )
  },
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    quantity: 3,
    ordered: 4,
    totalMicros: '6400000',
    refundedMicros: '1600000',
    currency: 'USD',
    expiresAt: '2027-03-04T10:00:00.000Z',
  },
}
