import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const payoutDeclined: MailTemplate<EmailProps['payout_declined']> = {
  subject: (props, { say, money }) =>
    say('payout_declined.subject', { amount: money(props.amountMicros, props.currency) }),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('payout_declined.preview')}
      paragraphs={[say('payout_declined.text')]}
      facts={[
        [say('payout_declined.amount'), money(props.amountMicros, props.currency)],
        [say('payout_declined.destination'), props.hint],
        [say('payout_declined.reason'), props.reason],
      ]}
      action={{ label: say('payout_declined.action'), url: url('/account/referrals/payouts') }}
    />
  ),
  preview: {
    amountMicros: '12500000',
    currency: 'USD',
    hint: '…bLSE',
    reason: 'The address belongs to another network than the one you chose.',
  },
}
