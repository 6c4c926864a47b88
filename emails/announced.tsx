import type { EmailProps } from '@/lib/notifications'
import type { MailContext, MailTemplate } from './context'
import { MailLayout } from './layout'

type Kind = 'announcement_news' | 'announcement_change'

/** What was announced in the reader's language: its title, and the beginning of its text as paragraphs. */
function readIn({ locale }: MailContext, props: EmailProps[Kind]) {
  const isRu = locale === 'ru'
  const isCut = isRu ? props.isCutRu : props.isCutEn
  const lead = isRu ? props.leadRu : props.leadEn
  // Cut after a whole word.
  const text = isCut ? `${lead.replace(/\s+\S*$/, '')}…` : lead
  return { title: isRu ? props.titleRu : props.titleEn, isCut, paragraphs: text.split(/\n\s*\n/).filter(Boolean) }
}

/** News and a change of service look alike; a change names the day from which it holds. */
export function announced(kind: Kind): MailTemplate<EmailProps[Kind]> {
  return {
    subject: (props, context) => context.say(`${kind}.subject`, { title: readIn(context, props).title }),
    Mail: ({ props, context }) => {
      const { say, shop, time, frame, url } = context
      const { title, isCut, paragraphs } = readIn(context, props)
      return (
        <MailLayout
          {...frame()}
          preview={say(`${kind}.preview`, { shop })}
          paragraphs={[say(`${kind}.intro`, { title, shop }), ...paragraphs]}
          facts={props.beginsAt ? [[say('announcement_change.holds'), time(props.beginsAt)]] : undefined}
          action={{ label: say(isCut ? `${kind}.action` : `${kind}.whole`), url: url(`/announcements/${props.slug}`) }}
        />
      )
    },
    preview:
      kind === 'announcement_news'
        ? {
            slug: 'proxies-in-portugal-89abcdef',
            titleEn: 'Proxies in Portugal',
            titleRu: 'Прокси в Португалии',
            leadEn: 'Datacenter IPv4 can now be ordered in Lisbon.\n\nPrices are those of Spain.',
            leadRu: 'Серверные IPv4 теперь можно заказать в Лиссабоне.\n\nЦены те же, что в Испании.',
            isCutEn: false,
            isCutRu: false,
            beginsAt: null,
          }
        : {
            slug: 'our-terms-change-89abcdef',
            titleEn: 'Our terms change',
            titleRu: 'Меняются наши условия',
            leadEn: 'Section 4 now says how long statements are kept.\n\nNothing else is changed.',
            leadRu: 'В разделе 4 теперь сказано, сколько хранятся выписки.\n\nОстальное без изменений.',
            isCutEn: true,
            isCutRu: true,
            beginsAt: '2027-04-01T00:00:00Z',
          },
  }
}
