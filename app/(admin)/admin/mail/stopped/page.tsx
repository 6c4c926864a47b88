import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import { LiftForm } from '@/components/mail/lift-form'
import { MailTabs } from '@/components/mail/mail-tabs'
import { Button } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Input, Label } from '@/components/ui/input'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { isAllowed } from '@/lib/identity'
import { countStopped, listStoppedAddresses, type StoppedAddress } from '@/lib/notifications'
import { requireAdmin } from '@/lib/web'
import { liftAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('mail'))('stoppedTitle') }
}

export default async function StoppedPage({ searchParams }: { searchParams: SearchParams }) {
  const staff = await requireAdmin('mail.read')
  const query = await searchParams
  const [search, before] = [oneOf(query.search), oneOf(query.before)]
  const [say, page, count] = await Promise.all([
    getTranslations('mail'),
    listStoppedAddresses({ search, before }),
    countStopped(),
  ])
  const canLift = isAllowed(staff.role, 'mail.write')
  const end = (stop: StoppedAddress) => {
    if (!stop.liftedAt)
      return canLift ? <LiftForm stop={stop} action={liftAction} /> : <Status tone="bad">{say('stoppedNow')}</Status>
    const time = () => <RelativeTime at={stop.liftedAt!} />
    return (
      <span className="inline-flex max-w-md flex-col items-start gap-1 max-sm:items-end">
        <Status tone="good">{say('liftedState')}</Status>
        <span className="text-xs text-muted">
          {stop.liftReason === null
            ? say.rich('liftedByOwner', { time })
            : say.rich('liftedBy', { time, reason: stop.liftReason })}
        </span>
      </span>
    )
  }
  return (
    <>
      <PageHeader title={say('stoppedTitle')} lead={say('stoppedLead', { count })} />
      <MailTabs user={staff} current="/admin/mail/stopped" />
      <form action="/admin/mail/stopped" role="search" className="mb-4 flex flex-wrap items-end gap-3">
        <div className="flex min-w-0 flex-1 flex-col gap-1.5 sm:max-w-md">
          <Label htmlFor="search">{say('search')}</Label>
          <Input id="search" name="search" type="search" defaultValue={search} />
        </div>
        <Button type="submit" variant="secondary">
          {say('filter')}
        </Button>
      </form>
      <DataTable
        caption={say('stoppedCaption')}
        rows={page.rows}
        rowKey={(stop) => stop.id}
        empty={<EmptyState title={say('stoppedEmpty')}>{say('stoppedEmptyText')}</EmptyState>}
        columns={[
          {
            key: 'address',
            head: say('columnAddress'),
            cell: (stop) => <span className="break-all">{stop.address}</span>,
          },
          { key: 'reason', head: say('columnReason'), cell: (stop) => say(`reasons.${stop.reason}`) },
          { key: 'since', head: say('columnSince'), cell: (stop) => <RelativeTime at={stop.suppressedAt} /> },
          { key: 'end', head: say('columnLift'), cell: end },
        ]}
      />
      <Pagination path="/admin/mail/stopped" query={{ search }} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
