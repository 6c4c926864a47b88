import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const renewalDearer: MailTemplate<EmailProps['renewal_dearer']> = {
  subject: (_, { say }) => say('renewal_dearer.subject'),
  Mail: ({ props, context: { say, money, time, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('renewal_dearer.preview')}
      paragraphs={[
        say('renewal_dearer.text', {
          agreed: money(props.agreedMicros, props.currency),
          total: money(props.totalMicros, props.currency),
          due: time(props.dueAt),
        }),
      ]}
      facts={[
        [say('renewal_dearer.order'), props.orderId],
        [say('renewal_dearer.agreed'), money(props.agreedMicros, props.currency)],
        [say('renewal_dearer.total'), money(props.totalMicros, props.currency)],
      ]}
      action={{ label: say('renewal_dearer.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    agreedMicros: '6000000',
    totalMicros: '7500000',
    currency: 'USD',
    dueAt: '2027-03-04T10:00:00.000Z',
  },
}
