import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { MailStatus } from '@/components/mail/mail-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { findStops, listOwnMails } from '@/lib/notifications'
import { requireUser } from '@/lib/web'
import { requestConfirmationAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('mail'))('ownTitle') }
}

/** Whether our mails arrive, what to do when they do not, and every mail that was sent. */
export default async function OwnMailsPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const before = oneOf((await searchParams).before)
  const [say, page, stops] = await Promise.all([
    getTranslations('mail'),
    listOwnMails({ userId: user.id, before }),
    findStops(user.email),
  ])
  const address = user.email
  const comesBack = stops.some(({ reason }) => reason !== 'complaint')
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/settings" className="text-accent underline">
            {say('backToSettings')}
          </Link>
        }
        title={say('ownTitle')}
        lead={say('ownLead')}
      />
      {comesBack && (
        <Alert tone="bad" title={say('stopTitle', { address })} className="mb-6">
          <p className="mb-3 max-w-2xl">{say('stopBounce')}</p>
          <ActionForm action={requestConfirmationAction}>
            <SubmitButton variant="secondary">{say('sendLink')}</SubmitButton>
          </ActionForm>
        </Alert>
      )}
      {!comesBack && stops.length > 0 && (
        <Alert tone="warning" title={say('complaintTitle')} className="mb-6">
          <p className="max-w-2xl">{say('complaintText', { address })}</p>
        </Alert>
      )}
      <DataTable
        caption={say('ownCaption')}
        rows={page.rows}
        rowKey={(mail) => mail.id}
        empty={<EmptyState title={say('ownEmpty')}>{say('ownEmptyText')}</EmptyState>}
        columns={[
          { key: 'when', head: say('columnWhen'), cell: (mail) => <ExactTime at={mail.at} /> },
          { key: 'subject', head: say('columnSubject'), cell: (mail) => mail.subject ?? say('noSubject') },
          { key: 'state', head: say('columnState'), cell: (mail) => <MailStatus state={mail.state} /> },
        ]}
      />
      <Pagination path="/account/settings/mails" before={before} nextBefore={page.nextBefore} />
    </>
  )
}
