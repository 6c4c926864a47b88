import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const topUpCorrected: MailTemplate<EmailProps['top_up_corrected']> = {
  subject: (_, { say }) => say('top_up_corrected.subject'),
  Mail: ({ props, context: { say, money, frame, url } }) => {
    const isTaken = props.movedMicros.startsWith('-')
    const amount = money(props.movedMicros.replace('-', ''), props.currency)
    return (
      <MailLayout
        {...frame()}
        preview={say(isTaken ? 'top_up_corrected.previewTaken' : 'top_up_corrected.previewGiven', { amount })}
        paragraphs={[
          say(isTaken ? 'top_up_corrected.taken' : 'top_up_corrected.given', { amount }),
          ...(props.owedMicros === '0'
            ? []
            : [say('top_up_corrected.owed', { owed: money(props.owedMicros, props.currency) })]),
          say('top_up_corrected.answer'),
        ]}
        facts={[[say('top_up_corrected.payment'), props.paymentId]]}
        action={{ label: say('top_up_corrected.action'), url: url(`/account/payments/${props.paymentId}`) }}
      />
    )
  },
  preview: {
    paymentId: 'pay_0190000000000123456789abcdef0123',
    movedMicros: '-20000000',
    owedMicros: '7500000',
    currency: 'USD',
  },
}
