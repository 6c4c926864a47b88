import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const topUpReceipt: MailTemplate<EmailProps['top_up_receipt']> = {
  subject: (props, { say, money }) =>
    say('top_up_receipt.subject', { amount: money(props.creditedMicros, props.currency) }),
  Mail: ({ props, context: { say, money, frame, url } }) => {
    const amount = money(props.creditedMicros, props.currency)
    const requested = money(props.requestedMicros, props.currency)
    const balance = money(props.balanceMicros, props.currency)
    const debt = props.debtPaidMicros ?? '0'
    const bonus = props.bonusMicros ?? '0'
    const differs = props.creditedMicros !== props.requestedMicros
    return (
      <MailLayout
        {...frame()}
        preview={say('top_up_receipt.preview', { balance })}
        paragraphs={[
          say('top_up_receipt.text', { amount, balance }),
          ...(debt === '0' ? [] : [say('top_up_receipt.debt', { debt: money(debt, props.currency) })]),
          ...(bonus === '0' ? [] : [say('top_up_receipt.bonus', { bonus: money(bonus, props.currency) })]),
          ...(props.bonusMissed ? [say('top_up_receipt.bonusMissed', { reason: props.bonusMissed })] : []),
          ...(differs ? [say('top_up_receipt.differs', { requested })] : []),
        ]}
        facts={[
          [say('top_up_receipt.amount'), amount],
          [say('top_up_receipt.requested'), requested],
          [say('top_up_receipt.balance'), balance],
          [say('top_up_receipt.provider'), props.provider],
          [say('top_up_receipt.payment'), props.paymentId],
        ]}
        action={{ label: say('top_up_receipt.action'), url: url(`/account/payments/${props.paymentId}`) }}
      />
    )
  },
  preview: {
    paymentId: 'pay_0190000000000123456789abcdef0123',
    creditedMicros: '19500000',
    requestedMicros: '20000000',
    balanceMicros: '21750000',
    currency: 'USD',
    provider: 'CryptoCloud',
  },
}
