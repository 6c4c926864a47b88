import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderCredited: MailTemplate<EmailProps['order_credited']> = {
  subject: (props, { say, money }) =>
    say('order_credited.subject', { amount: money(props.amountMicros, props.currency) }),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('order_credited.preview')}
      paragraphs={[
        say('order_credited.text', {
          cause: props.cause,
          quantity: props.quantity,
          amount: money(props.amountMicros, props.currency),
        }),
      ]}
      facts={[
        [say('order_credited.order'), props.orderId],
        [say('order_credited.amount'), money(props.amountMicros, props.currency)],
        [say('order_credited.balance'), money(props.balanceMicros, props.currency)],
      ]}
      action={{ label: say('order_credited.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    cause: 'downtime',
    amountMicros: '250000',
    quantity: 1,
    balanceMicros: '4250000',
    currency: 'USD',
  },
}
