import type { EmailProps } from '@/lib/notifications'
import type { MailContext, MailTemplate } from './context'
import { MailLayout } from './layout'

type Props = EmailProps['announcement_maintenance']

/** Which orders are touched, as the shop shortens their numbers. */
export function touchedOrders({ say }: MailContext, { orderIds, more }: Props): string {
  const listed = orderIds.map((orderId) => orderId.slice(-8))
  return [...listed, ...(more > 0 ? [say('announcement_maintenance.more', { more })] : [])].join(', ')
}

const titleOf = ({ locale }: MailContext, props: Props) => (locale === 'ru' ? props.titleRu : props.titleEn)

export const announcedMaintenance: MailTemplate<Props> = {
  subject: (props, context) => context.say('announcement_maintenance.subject', { title: titleOf(context, props) }),
  Mail: ({ props, context }) => {
    const { say, time, frame, url } = context
    const [begins, ends] = [time(props.beginsAt), time(props.endsAt)]
    return (
      <MailLayout
        {...frame()}
        preview={say('announcement_maintenance.preview', { begins, ends })}
        paragraphs={[
          say('announcement_maintenance.text', { title: titleOf(context, props) }),
          say('announcement_maintenance.remedies'),
        ]}
        facts={[
          [say('announcement_maintenance.begins'), begins],
          [say('announcement_maintenance.ends'), ends],
          [say('announcement_maintenance.orders'), touchedOrders(context, props)],
        ]}
        action={{ label: say('announcement_maintenance.action'), url: url(`/announcements/${props.slug}`) }}
      />
    )
  },
  preview: {
    slug: 'work-in-amsterdam-89abcdef',
    titleEn: 'Work on the network in Amsterdam',
    titleRu: 'Работы на сети в Амстердаме',
    beginsAt: '2027-03-03T01:00:00Z',
    endsAt: '2027-03-03T03:30:00Z',
    orderIds: ['ord_0190000000000123456789abcdef0123', 'ord_0190000000000123456789abcdef0456'],
    more: 3,
  },
}
