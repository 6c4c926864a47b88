import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const resetPassword: MailTemplate<EmailProps['reset_password']> = {
  subject: (_, { say, shop }) => say('reset_password.subject', { shop }),
  Mail: ({ props, context: { say, frame } }) => (
    <MailLayout
      {...frame(props.username)}
      preview={say('reset_password.preview')}
      paragraphs={[say('reset_password.text')]}
      action={{ label: say('reset_password.action'), url: props.url }}
      after={say('reset_password.ignore')}
    />
  ),
  preview: { username: 'ann', url: 'http://localhost:3000/reset-password?token=0123456789' },
}
