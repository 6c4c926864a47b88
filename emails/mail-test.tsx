import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const mailTest: MailTemplate<EmailProps['mail_test']> = {
  subject: (_, { say, shop }) => say('mail_test.subject', { shop }),
  Mail: ({ props, context: { say, frame, url } }) => (
    <MailLayout
      {...frame(props.username)}
      preview={say('mail_test.preview')}
      paragraphs={[say('mail_test.text')]}
      action={{ label: say('mail_test.action'), url: url('/admin/settings/mail') }}
      after={say('mail_test.after')}
    />
  ),
  preview: { username: 'ann' },
}
