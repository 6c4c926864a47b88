import { sayTopic } from '@/lib/marketing'
import { topicSchema } from '@/lib/marketing/schemas'
import type { EmailProps } from '@/lib/notifications'
import type { MailTemplate } from './context'
import { MailLayout } from './layout'

export const marketingConfirm: MailTemplate<EmailProps['marketing_confirm']> = {
  subject: (_, { say, shop }) => say('marketing_confirm.subject', { shop }),
  Mail: ({ props, context: { say, frame, locale } }) => (
    <MailLayout
      {...frame(props.username)}
      preview={say('marketing_confirm.preview')}
      paragraphs={[
        say('marketing_confirm.text', {
          topics: props.topics.map((topic) => sayTopic(topicSchema.parse(topic), locale)).join(', '),
        }),
      ]}
      action={{ label: say('marketing_confirm.action'), url: props.url }}
      after={say('marketing_confirm.ignore')}
    />
  ),
  preview: {
    username: 'ann',
    url: 'http://localhost:3000/preferences/confirm?token=0123456789',
    topics: ['news', 'offers'],
  },
}
