import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const payoutPaid: MailTemplate<EmailProps['payout_paid']> = {
  subject: (props, { say, money }) => say('payout_paid.subject', { amount: money(props.amountMicros, props.currency) }),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('payout_paid.preview')}
      paragraphs={[say('payout_paid.text')]}
      facts={[
        [say('payout_paid.amount'), money(props.amountMicros, props.currency)],
        [say('payout_paid.destination'), props.hint],
        [say('payout_paid.reference'), props.reference],
      ]}
      action={{ label: say('payout_paid.action'), url: url('/account/referrals/payouts') }}
    />
  ),
  preview: { amountMicros: '12500000', currency: 'USD', hint: '…bLSE', reference: 'tx 7c1f…90ab' },
}
