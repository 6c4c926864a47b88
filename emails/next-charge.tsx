import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const nextCharge: MailTemplate<EmailProps['next_charge']> = {
  subject: (props, { say, money }) => say('next_charge.subject', { total: money(props.totalMicros, props.currency) }),
  Mail: ({ props, context: { say, money, time, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('next_charge.preview', { due: time(props.charges[0]!.at) })}
      paragraphs={[
        say('next_charge.text', {
          count: props.charges.length + props.more,
          total: money(props.totalMicros, props.currency),
          balance: money(props.balanceMicros, props.currency),
        }),
        ...(props.more > 0 ? [say('next_charge.more', { more: props.more })] : []),
      ]}
      facts={[
        ...props.charges.map((each): [string, string] => [
          say('next_charge.charge', { at: time(each.at), order: each.orderId.slice(-8) }),
          money(each.amountMicros, props.currency),
        ]),
        [say('next_charge.total'), money(props.totalMicros, props.currency)],
        [say('next_charge.balance'), money(props.balanceMicros, props.currency)],
      ]}
      action={{ label: say('next_charge.action'), url: url('/account/planner') }}
    />
  ),
  preview: {
    totalMicros: '7200000',
    balanceMicros: '20000000',
    currency: 'USD',
    charges: [
      { orderId: 'ord_0190000000000123456789abcdef0123', amountMicros: '6000000', at: '2027-03-03T10:00:00.000Z' },
      { orderId: 'ord_0190000000000123456789abcdef0456', amountMicros: '1200000', at: '2027-03-04T18:30:00.000Z' },
    ],
    more: 0,
  },
}
