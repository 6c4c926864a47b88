import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { AccountStatus, stateOfAccount } from '@/components/admin/account-words'
import { brandOf, sayLimits, testResultOf } from '@/components/admin/provider-words'
import { PageHeader } from '@/components/ui/page-header'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listProvidersForAdmin } from '@/lib/payments'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSettings'))('paymentsTitle') }
}

export default async function ProvidersPage() {
  await requireAdmin('payments.providers')
  const [say, providers] = await Promise.all([getTranslations('adminSettings'), listProvidersForAdmin()])
  const rows = await Promise.all(
    providers.map(async (provider) => ({
      provider,
      brand: await brandOf(provider.name),
      limits: await sayLimits(provider),
      result: testResultOf(provider),
    })),
  )
  const count = providers.filter((provider) => stateOfAccount(provider) === 'on').length
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={say('paymentsTitle')}
        lead={say('listLead', { count })}
      />
      <DataTable
        caption={say('paymentsTitle')}
        rows={rows}
        rowKey={({ provider }) => provider.name}
        empty={null}
        columns={[
          {
            key: 'provider',
            head: say('columnProvider'),
            cell: ({ provider, brand }) => (
              <Link href={`/admin/settings/payments/${provider.name}`} className="text-accent underline">
                {brand}
              </Link>
            ),
          },
          {
            key: 'state',
            head: say('columnState'),
            cell: ({ provider }) => <AccountStatus account={provider} words="adminSettings" />,
          },
          {
            key: 'heard',
            head: say('columnHeard'),
            cell: ({ provider }) => (provider.heardAt ? <RelativeTime at={provider.heardAt} /> : say('never')),
          },
          {
            key: 'test',
            head: say('columnTest'),
            cell: ({ provider, result }) =>
              result && provider.testedAt ? (
                <>
                  {say(`test_${result}`)}, <RelativeTime at={provider.testedAt} />
                </>
              ) : (
                say('untested')
              ),
          },
          { key: 'limits', head: say('columnLimits'), isNumber: true, cell: ({ limits }) => limits },
        ]}
      />
    </>
  )
}
