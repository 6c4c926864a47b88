import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

type Returned = 'top_up_refund_begun' | 'top_up_refunded' | 'refund_failed' | 'dispute_opened' | 'dispute_won'

/** Mails about money that goes back to its source or comes back from there; they differ in their words, not in their facts. */
export function moneyReturned(template: Returned): MailTemplate<EmailProps[Returned]> {
  return {
    subject: (props, { say, money }) =>
      say(`${template}.subject`, { amount: money(props.amountMicros, props.currency) }),
    Mail: ({ props, context: { say, money, frame, url } }) => {
      const amount = money(props.amountMicros, props.currency)
      const mayBeOwed = template === 'top_up_refunded' || template === 'dispute_opened'
      return (
        <MailLayout
          {...frame()}
          preview={say(`${template}.preview`)}
          paragraphs={[
            say(`${template}.text`, { amount }),
            ...(mayBeOwed && props.owedMicros !== '0'
              ? [say(`${template}.owed`, { owed: money(props.owedMicros, props.currency) })]
              : []),
          ]}
          facts={[
            [say(`${template}.amount`), amount],
            [say(`${template}.payment`), props.paymentId],
          ]}
          action={{ label: say(`${template}.action`), url: url(`/account/payments/${props.paymentId}`) }}
        />
      )
    },
    preview: {
      paymentId: 'pay_0190000000000123456789abcdef0123',
      amountMicros: '20000000',
      owedMicros: template === 'dispute_opened' ? '7500000' : '0',
      currency: 'USD',
    },
  }
}
