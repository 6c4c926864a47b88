import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderRenewed: MailTemplate<EmailProps['order_renewed']> = {
  subject: (props, { say }) => say('order_renewed.subject', { quantity: props.quantity }),
  Mail: ({ props, context: { say, money, time, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('order_renewed.preview', { expires: time(props.expiresAt) })}
      paragraphs={[
        say(props.automatic ? 'order_renewed.textAutomatic' : 'order_renewed.text', {
          quantity: props.quantity,
          days: props.periodDays,
          expires: time(props.expiresAt),
        }),
      ]}
      facts={[
        [say('order_renewed.order'), props.orderId],
        [say('order_renewed.total'), money(props.totalMicros, props.currency)],
        [say('order_renewed.expires'), time(props.expiresAt)],
      ]}
      action={{ label: say('order_renewed.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    quantity: 3,
    periodDays: 30,
    totalMicros: '6000000',
    currency: 'USD',
    automatic: true,
    expiresAt: '2027-03-04T10:00:00.000Z',
  },
}
