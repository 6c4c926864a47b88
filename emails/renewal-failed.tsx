import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const renewalFailed: MailTemplate<EmailProps['renewal_failed']> = {
  subject: (_, { say }) => say('renewal_failed.subject'),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('renewal_failed.preview')}
      paragraphs={[
        say('renewal_failed.text', { reason: props.reason, amount: money(props.refundedMicros, props.currency) }),
      ]}
      facts={[
        [say('renewal_failed.order'), props.orderId],
        [say('renewal_failed.amount'), money(props.refundedMicros, props.currency)],
      ]}
      action={{ label: say('renewal_failed.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    refundedMicros: '6000000',
    currency: 'USD',
    reason: 'supplier_failed',
  },
}
