import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const verifyEmail: MailTemplate<EmailProps['verify_email']> = {
  subject: (_, { say, shop }) => say('verify_email.subject', { shop }),
  Mail: ({ props, context: { say, frame } }) => (
    <MailLayout
      {...frame(props.username)}
      preview={say('verify_email.preview')}
      paragraphs={[say('verify_email.text')]}
      action={{ label: say('verify_email.action'), url: props.url }}
      after={say('verify_email.ignore')}
    />
  ),
  preview: { username: 'ann', url: 'http://localhost:3000/verify?token=0123456789' },
}
