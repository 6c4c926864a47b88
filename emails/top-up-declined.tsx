import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const topUpDeclined: MailTemplate<EmailProps['top_up_declined']> = {
  subject: (_, { say }) => say('top_up_declined.subject'),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('top_up_declined.preview')}
      paragraphs={[say('top_up_declined.text', { requested: money(props.requestedMicros, props.currency) })]}
      facts={[[say('top_up_declined.payment'), props.paymentId]]}
      action={{ label: say('top_up_declined.action'), url: url(`/account/payments/${props.paymentId}`) }}
    />
  ),
  preview: { paymentId: 'pay_0190000000000123456789abcdef0123', requestedMicros: '20000000', currency: 'USD' },
}
