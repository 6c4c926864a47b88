import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const renewalShort: MailTemplate<EmailProps['renewal_short']> = {
  subject: (_, { say }) => say('renewal_short.subject'),
  Mail: ({ props, context: { say, money, time, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('renewal_short.preview', { due: time(props.dueAt) })}
      paragraphs={[
        say(props.daysLeft > 0 ? 'renewal_short.text' : 'renewal_short.textNow', {
          needed: money(props.neededMicros, props.currency),
          balance: money(props.balanceMicros, props.currency),
          due: time(props.dueAt),
        }),
      ]}
      facts={[
        [say('renewal_short.order'), props.orderId],
        [say('renewal_short.needed'), money(props.neededMicros, props.currency)],
        [say('renewal_short.balance'), money(props.balanceMicros, props.currency)],
        [say('renewal_short.due'), time(props.dueAt)],
      ]}
      action={{ label: say('renewal_short.action'), url: url(`/account/top-up`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    neededMicros: '6000000',
    balanceMicros: '1500000',
    currency: 'USD',
    dueAt: '2027-03-04T10:00:00.000Z',
    daysLeft: 3,
  },
}
