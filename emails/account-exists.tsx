import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout, MailLink } from './layout'

export const accountExists: MailTemplate<EmailProps['account_exists']> = {
  subject: (_, { say, shop }) => say('account_exists.subject', { shop }),
  Mail: ({ props, context: { say, frame, look } }) => (
    <MailLayout
      {...frame(props.username)}
      preview={say('account_exists.preview')}
      paragraphs={[say('account_exists.text')]}
      action={{ label: say('account_exists.action'), url: props.signInUrl }}
      after={
        <>
          {say('account_exists.forgot')} <MailLink href={props.resetUrl} accent={look.accent} />
          <br />
          <br />
          {say('account_exists.ignore')}
        </>
      }
    />
  ),
  preview: {
    username: 'ann',
    signInUrl: 'http://localhost:3000/sign-in',
    resetUrl: 'http://localhost:3000/forgot-password',
  },
}
