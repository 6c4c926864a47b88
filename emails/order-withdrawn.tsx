import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderWithdrawn: MailTemplate<EmailProps['order_withdrawn']> = {
  subject: (_, { say }) => say('order_withdrawn.subject'),
  Mail: ({ props, context: { say, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('order_withdrawn.preview')}
      paragraphs={[say('order_withdrawn.text')]}
      facts={[[say('order_withdrawn.order'), props.orderId]]}
      action={{ label: say('order_withdrawn.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: { orderId: 'ord_0190000000000123456789abcdef0123' },
}
