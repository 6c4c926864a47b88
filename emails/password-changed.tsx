import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const passwordChanged: MailTemplate<EmailProps['password_changed']> = {
  subject: (_, { say, shop }) => say('password_changed.subject', { shop }),
  Mail: ({ props, context: { say, frame } }) => (
    <MailLayout
      {...frame(props.username)}
      preview={say('password_changed.preview')}
      paragraphs={[say('password_changed.text'), say('password_changed.warning')]}
      action={{ label: say('password_changed.action'), url: props.resetUrl }}
    />
  ),
  preview: { username: 'ann', resetUrl: 'http://localhost:3000/forgot-password' },
}
