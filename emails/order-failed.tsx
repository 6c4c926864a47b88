import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderFailed: MailTemplate<EmailProps['order_failed']> = {
  subject: (_, { say }) => say('order_failed.subject'),
  Mail: ({ props, context: { say, money, frame, url } }) => {
    const refunded = money(props.refundedMicros, props.currency)
    return (
      <MailLayout
        {...frame()}
        preview={say('order_failed.preview', { refunded })}
        paragraphs={[say('order_failed.text', { reason: props.reason, refunded })]}
        facts={[
          [say('order_failed.order'), props.orderId],
          [say('order_failed.refunded'), refunded],
        ]}
        action={{ label: say('order_failed.action'), url: url(`/account/orders/${props.orderId}`) }}
      />
    )
  },
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    refundedMicros: '6400000',
    currency: 'USD',
    reason: 'sold_out',
  },
}
