import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const lowBalance: MailTemplate<EmailProps['low_balance']> = {
  subject: (props, { say, money }) =>
    say('low_balance.subject', { threshold: money(props.thresholdMicros, props.currency) }),
  Mail: ({ props, context: { say, money, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('low_balance.preview', { balance: money(props.balanceMicros, props.currency) })}
      paragraphs={[
        say('low_balance.text', {
          balance: money(props.balanceMicros, props.currency),
          threshold: money(props.thresholdMicros, props.currency),
        }),
      ]}
      facts={[
        [say('low_balance.balance'), money(props.balanceMicros, props.currency)],
        [say('low_balance.threshold'), money(props.thresholdMicros, props.currency)],
      ]}
      action={{ label: say('low_balance.action'), url: url('/account/top-up') }}
    />
  ),
  preview: { balanceMicros: '4250000', thresholdMicros: '5000000', currency: 'USD' },
}
