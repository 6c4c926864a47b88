import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { MailStatus } from '@/components/mail/mail-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams, withQuery } from '@/components/ui/search-params'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { listCampaignMails } from '@/lib/marketing'
import { findStops, listOwnMails } from '@/lib/notifications'
import { requireUser } from '@/lib/web'
import { requestConfirmationAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('mail'))('ownTitle') }
}

/** Whether our mails arrive, what to do when they do not, and every mail that was sent. */
export default async function OwnMailsPage({ searchParams }: { searchParams: SearchParams }) {
  const user = await requireUser()
  const query = await searchParams
  const before = oneOf(query.before)
  const campaignBefore = oneOf(query.news)
  const [say, common, marketing, page, stops, campaigns] = await Promise.all([
    getTranslations('mail'),
    getTranslations('common'),
    getTranslations('marketing'),
    listOwnMails({ userId: user.id, before }),
    findStops(user.email),
    listCampaignMails({ userId: user.id, before: campaignBefore }),
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
      {(campaigns.rows.length > 0 || campaignBefore) && (
        <section id="news" className="mt-8">
          <h2 className="text-base font-semibold">{marketing('ownMailsTitle')}</h2>
          <p className="mt-1 mb-3 text-muted">{marketing('ownMailsLead')}</p>
          <DataTable
            caption={marketing('ownMailsCaption')}
            rows={campaigns.rows}
            rowKey={(mail) => mail.id}
            empty={null}
            columns={[
              { key: 'when', head: say('columnWhen'), cell: (mail) => <ExactTime at={mail.at} /> },
              {
                key: 'subject',
                head: say('columnSubject'),
                cell: (mail) => (
                  <span lang={mail.locale}>
                    {mail.channel === 'telegram' ? `Telegram: ${mail.subject}` : mail.subject}
                  </span>
                ),
              },
              { key: 'state', head: say('columnState'), cell: (mail) => <MailStatus state={mail.state} /> },
            ]}
          />
          {campaigns.nextBefore && (
            <p className="mt-3 text-sm">
              <Link
                href={withQuery('/account/settings/mails', { news: campaigns.nextBefore })}
                className="text-accent underline"
              >
                {common('nextPage')}
              </Link>
            </p>
          )}
        </section>
      )}
    </>
  )
}
