import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const orderIntentRefused: MailTemplate<EmailProps['order_intent_refused']> = {
  subject: (_, { say }) => say('order_intent_refused.subject'),
  Mail: ({ props, context: { say, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('order_intent_refused.preview')}
      paragraphs={[say('order_intent_refused.text', { reason: props.reason })]}
      action={{ label: say('order_intent_refused.action'), url: url(`/catalogue/${props.planSlug}`) }}
    />
  ),
  preview: { planSlug: 'ipv4-shared', reason: 'price_changed' },
}
