import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const topUpNeedsReview: MailTemplate<EmailProps['top_up_needs_review']> = {
  subject: (_, { say }) => say('top_up_needs_review.subject'),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('top_up_needs_review.preview')}
      paragraphs={[say('top_up_needs_review.text', { requested: money(props.requestedMicros, props.currency) })]}
      facts={[[say('top_up_needs_review.payment'), props.paymentId]]}
      action={{ label: say('top_up_needs_review.action'), url: url(`/account/payments/${props.paymentId}`) }}
    />
  ),
  preview: { paymentId: 'pay_0190000000000123456789abcdef0123', requestedMicros: '20000000', currency: 'USD' },
}
