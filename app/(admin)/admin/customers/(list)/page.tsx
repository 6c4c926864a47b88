import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { Button } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Input, Label } from '@/components/ui/input'
import { PageHeader } from '@/components/ui/page-header'
import { Pagination } from '@/components/ui/pagination'
import { oneOf, type SearchParams } from '@/components/ui/search-params'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { type CustomerView, listCustomers } from '@/lib/identity'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('customersTitle') }
}

export default async function CustomersPage({ searchParams }: { searchParams: SearchParams }) {
  await requireAdmin('customers.read')
  const query = await searchParams
  const search = oneOf(query.search)
  const before = oneOf(query.before)
  const [say, page] = await Promise.all([getTranslations('admin'), listCustomers({ search, before })])
  const addressState = (customer: CustomerView) => {
    if (customer.suspendedAt) return <Status tone="bad">{say('suspended')}</Status>
    return customer.emailVerifiedAt ? (
      <Status tone="good">{say('confirmed')}</Status>
    ) : (
      <Status tone="warning">{say('notConfirmed')}</Status>
    )
  }
  return (
    <>
      <PageHeader title={say('customersTitle')} lead={say('customersLead')} />
      <form action="/admin/customers" role="search" className="mb-4 flex flex-wrap items-end gap-3">
        <div className="flex min-w-0 flex-1 flex-col gap-1.5 sm:max-w-md">
          <Label htmlFor="search">{say('searchHelp')}</Label>
          <Input id="search" name="search" type="search" defaultValue={search} />
        </div>
        <Button type="submit" variant="secondary">
          {say('searchButton')}
        </Button>
      </form>
      <DataTable
        caption={say('customersCaption')}
        rows={page.rows}
        rowKey={(customer) => customer.id}
        empty={<EmptyState title={say('customersEmpty')}>{say('customersEmptyText')}</EmptyState>}
        columns={[
          {
            key: 'username',
            head: say('username'),
            cell: (customer) => (
              <Link href={`/admin/customers/${customer.id}`} className="text-accent underline">
                {customer.username}
              </Link>
            ),
          },
          { key: 'email', head: say('email'), cell: (customer) => <span className="break-all">{customer.email}</span> },
          { key: 'state', head: say('state'), cell: addressState },
          { key: 'role', head: say('role'), cell: (customer) => customer.role },
          { key: 'since', head: say('since'), cell: (customer) => <RelativeTime at={customer.createdAt} /> },
        ]}
      />
      <Pagination path="/admin/customers" query={{ search }} before={before} nextBefore={page.nextBefore} />
    </>
  )
}
