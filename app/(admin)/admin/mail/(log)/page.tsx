import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { MailTabs } from '@/components/mail/mail-tabs'
import { MailsTable } from '@/components/mail/mails-table'
import { Button } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Input, Label, Select } from '@/components/ui/input'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { isAllowed } from '@/lib/identity'
import { listMails, MAIL_STATES } from '@/lib/notifications'
import { requireAdmin } from '@/lib/web'
import { sendAgainAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('mail'))('adminTitle') }
}

export default async function MailLogPage({ searchParams }: { searchParams: SearchParams }) {
  const staff = await requireAdmin('mail.read')
  const query = await searchParams
  const [search, state, before] = [oneOf(query.search), oneOf(query.state), oneOf(query.before)]
  const [say, page] = await Promise.all([getTranslations('mail'), listMails({ search, state, before })])
  return (
    <>
      <PageHeader title={say('adminTitle')} lead={say('adminLead')} />
      <MailTabs user={staff} current="/admin/mail" />
      <form action="/admin/mail" role="search" className="mb-4 flex flex-wrap items-end gap-3">
        <div className="flex min-w-0 flex-1 flex-col gap-1.5 sm:max-w-md">
          <Label htmlFor="search">{say('search')}</Label>
          <Input id="search" name="search" type="search" defaultValue={search} />
        </div>
        <div className="flex flex-col gap-1.5">
          <Label htmlFor="state">{say('columnState')}</Label>
          <Select id="state" name="state" defaultValue={state ?? ''} className="w-auto min-w-48">
            <option value="">{say('anyState')}</option>
            {MAIL_STATES.map((each) => (
              <option key={each} value={each}>
                {say(`states.${each}`)}
              </option>
            ))}
          </Select>
        </div>
        <Button type="submit" variant="secondary">
          {say('filter')}
        </Button>
      </form>
      <MailsTable
        mails={page.rows}
        caption={say('adminCaption')}
        empty={<EmptyState title={say('adminEmpty')}>{say('adminEmptyText')}</EmptyState>}
        sendAgain={isAllowed(staff.role, 'mail.write') ? sendAgainAction : undefined}
      />
      <Pagination path="/admin/mail" query={{ search, state }} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
