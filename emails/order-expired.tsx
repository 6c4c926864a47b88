import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderExpired: MailTemplate<EmailProps['order_expired']> = {
  subject: (_, { say }) => say('order_expired.subject'),
  Mail: ({ props, context: { say, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('order_expired.preview')}
      paragraphs={[say(props.wasAutomatic ? 'order_expired.textAutomatic' : 'order_expired.text')]}
      facts={[[say('order_expired.order'), props.orderId]]}
      action={{ label: say('order_expired.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    wasAutomatic: true,
  },
}
