import type { EmailProps } from '@/lib/notifications'
import { announcedMaintenance, touchedOrders } from './announced-maintenance'
import type { MailContext, MailTemplate } from './context'
import { MailLayout } from './layout'

type Props = EmailProps['maintenance_changed']

const argsOf = ({ locale, time }: MailContext, props: Props) => ({
  title: locale === 'ru' ? props.titleRu : props.titleEn,
  cancelled: props.isCancelled ? 'yes' : 'no',
  begins: time(props.beginsAt),
  ends: time(props.endsAt),
})

export const maintenanceChanged: MailTemplate<Props> = {
  subject: (props, context) => context.say('maintenance_changed.subject', argsOf(context, props)),
  Mail: ({ props, context }) => {
    const { say, time, frame, url } = context
    const args = argsOf(context, props)
    return (
      <MailLayout
        {...frame()}
        preview={say('maintenance_changed.preview', args)}
        paragraphs={[say('maintenance_changed.text', args)]}
        facts={[
          ...(props.isCancelled
            ? []
            : [
                [say('maintenance_changed.begins'), args.begins] satisfies [string, string],
                [say('maintenance_changed.ends'), args.ends] satisfies [string, string],
              ]),
          [
            say('maintenance_changed.was'),
            say('maintenance_changed.span', { begins: time(props.wasBeginsAt), ends: time(props.wasEndsAt) }),
          ],
          [say('maintenance_changed.orders'), touchedOrders(context, props)],
        ]}
        action={{ label: say('maintenance_changed.action'), url: url(`/announcements/${props.slug}`) }}
      />
    )
  },
  preview: {
    ...announcedMaintenance.preview,
    isCancelled: false,
    wasBeginsAt: '2027-03-02T01:00:00Z',
    wasEndsAt: '2027-03-02T03:30:00Z',
  },
}
