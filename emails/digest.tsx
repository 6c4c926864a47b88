import { sayNotice } from '@/lib/notices'
import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const digest: MailTemplate<EmailProps['digest']> = {
  subject: (props, { say }) => say('digest.subject', { count: props.items.length + props.more }),
  Mail: ({ props, context: { say, frame, url, locale } }) => {
    // A night of renewals says the same many times; it is said once, with how often.
    const times = new Map<string, number>()
    for (const item of props.items) {
      const { title, line } = sayNotice(item, { locale, timeZone: 'UTC' })
      const text = `${title}. ${line}`
      times.set(text, (times.get(text) ?? 0) + 1)
    }
    return (
      <MailLayout
        {...frame()}
        preview={say('digest.preview')}
        paragraphs={[
          say('digest.text', { count: props.items.length + props.more }),
          ...[...times].map(([text, count]) => (count > 1 ? `• ${text} (× ${count})` : `• ${text}`)),
          ...(props.more > 0 ? [say('digest.more', { more: props.more })] : []),
        ]}
        action={{ label: say('digest.action'), url: url('/account/notices') }}
        after={say('digest.after')}
      />
    )
  },
  preview: {
    day: '2027-03-04',
    items: [
      {
        template: 'order_renewed',
        props: {
          orderId: 'ord_0190000000000123456789abcdef0123',
          quantity: 3,
          periodDays: 30,
          totalMicros: '3600000',
          currency: 'USD',
          automatic: true,
          expiresAt: '2027-04-03T10:00:00.000Z',
        },
        at: '2027-03-04T08:00:00.000Z',
      },
      {
        template: 'order_expired',
        props: { orderId: 'ord_0190000000000123456789abcdef0456', wasAutomatic: false },
        at: '2027-03-03T22:00:00.000Z',
      },
    ],
    more: 2,
  },
}
