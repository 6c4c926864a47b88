import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const rewardsAvailable: MailTemplate<EmailProps['rewards_available']> = {
  subject: (props, { say, money }) =>
    say('rewards_available.subject', { amount: money(props.amountMicros, props.currency) }),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('rewards_available.preview')}
      paragraphs={[
        say('rewards_available.text', { count: props.count, amount: money(props.amountMicros, props.currency) }),
      ]}
      facts={[[say('rewards_available.amount'), money(props.amountMicros, props.currency)]]}
      action={{ label: say('rewards_available.action'), url: url('/account/referrals') }}
    />
  ),
  preview: { count: 3, amountMicros: '1250000', currency: 'USD' },
}
