import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { ActionForm } from '@/components/ui/action-form'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code, DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import type { MailView } from '@/lib/notifications'
import type { FormAction } from '@/lib/web'
import { MailOutcome } from './mail-words'

/** Mails for staff: to whom, about what, what became of them, and why. Without `sendAgain` nothing can be done here. */
export async function MailsTable({
  mails,
  caption,
  empty,
  sendAgain,
  showsAddress = true,
}: {
  mails: MailView[]
  caption: string
  empty: ReactNode
  sendAgain?: FormAction
  showsAddress?: boolean
}) {
  const say = await getTranslations('mail')
  return (
    <DataTable
      caption={caption}
      rows={mails}
      rowKey={(mail) => mail.id}
      empty={empty}
      columns={[
        { key: 'when', head: say('columnWhen'), cell: (mail) => <RelativeTime at={mail.createdAt} /> },
        ...(showsAddress
          ? [
              {
                key: 'to',
                head: say('columnTo'),
                cell: (mail: MailView) =>
                  mail.userId ? (
                    <Link href={`/admin/customers/${mail.userId}`} className="break-all text-accent underline">
                      {mail.to}
                    </Link>
                  ) : (
                    <span className="break-all">{mail.to}</span>
                  ),
              },
            ]
          : []),
        {
          key: 'subject',
          head: say('columnSubject'),
          cell: (mail) => (
            <span className="inline-flex flex-col gap-0.5 max-sm:items-end">
              <span lang={mail.locale}>{mail.subject ?? say('noSubject')}</span>
              <Code className="text-xs text-muted">{mail.template}</Code>
            </span>
          ),
        },
        {
          key: 'state',
          head: say('columnState'),
          cell: (mail) => (
            <>
              <MailOutcome state={mail.state} failure={mail.failure} />
              {mail.failureDetail && (
                <span className="mt-1 block max-w-md font-mono text-xs break-words text-muted">
                  {mail.failureDetail}
                </span>
              )}
              {mail.state === 'queued' && mail.nextTryAt && (
                <span className="mt-1 block text-xs text-muted">
                  {say('attempts', { count: mail.attempts })}.{' '}
                  {say.rich('nextTry', { time: () => <RelativeTime at={mail.nextTryAt!} /> })}
                </span>
              )}
            </>
          ),
        },
        ...(sendAgain
          ? [
              {
                key: 'again',
                head: say('columnAgain'),
                cell: (mail: MailView) =>
                  mail.canSendAgain && (
                    <ActionForm action={sendAgain}>
                      <input type="hidden" name="emailId" value={mail.id} />
                      <SubmitButton
                        size="sm"
                        variant="secondary"
                        aria-label={say('sendAgainWhat', { subject: mail.subject ?? mail.template })}
                      >
                        {say('sendAgain')}
                      </SubmitButton>
                    </ActionForm>
                  ),
              },
            ]
          : []),
      ]}
    />
  )
}
