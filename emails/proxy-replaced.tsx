import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const proxyReplaced: MailTemplate<EmailProps['proxy_replaced']> = {
  subject: (_, { say }) => say('proxy_replaced.subject'),
  Mail: ({ props, context: { say, frame, url } }) => (
    <MailLayout
      {...frame()}
      preview={say('proxy_replaced.preview', { next: props.new })}
      paragraphs={[say('proxy_replaced.text', { reason: props.reason })]}
      facts={[
        [say('proxy_replaced.order'), props.orderId],
        [say('proxy_replaced.old'), props.old],
        [say('proxy_replaced.next'), props.new],
      ]}
      action={{ label: say('proxy_replaced.action'), url: url(`/account/orders/${props.orderId}`) }}
    />
  ),
  preview: {
    orderId: 'ord_0190000000000123456789abcdef0123',
    reason: 'dead',
    old: '192.0.2.10:8080',
    new: '198.51.100.7:8080',
  },
}
