import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { AccountStatus, LastTest, stateOfAccount } from '@/components/admin/account-words'
import { SupplierForm } from '@/components/admin/supplier-form'
import {
  brandOfSupplier,
  healthOf,
  sayLasts,
  sayLeft,
  SupplierHealthStatus,
  testResultOfSupplier,
} from '@/components/admin/supplier-words'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Facts } from '@/components/ui/table'
import { ExactTime, RelativeTime } from '@/components/ui/time'
import { findSupplierForAdmin, HORIZON_DAYS, type SupplierView } from '@/lib/provisioning'
import { requireAdmin } from '@/lib/web'
import { forgetSupplierAction, saveSupplierAction, testSupplierAction } from '../actions'

type Params = { params: Promise<{ supplier: string }> }

export async function generateMetadata({ params }: Params): Promise<Metadata> {
  return { title: await brandOfSupplier((await params).supplier) }
}

/** One supplier: whether it works, what lies there, and everything that the shop has to be told of it. */
export default async function SupplierPage({ params }: Params) {
  await requireAdmin('suppliers.write')
  const supplier = await findSupplierForAdmin((await params).supplier)
  if (!supplier) notFound()
  const [say, name] = await Promise.all([getTranslations('adminSuppliers'), brandOfSupplier(supplier.name)])
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/suppliers" className="text-accent underline">
            {say('back')}
          </Link>
        }
        title={
          <span className="flex flex-wrap items-center gap-3">
            {name} <AccountStatus account={supplier} words="adminSuppliers" />
          </span>
        }
        lead={`${say(`why_${stateOfAccount(supplier)}`)} ${say('offersHint')}`}
      />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Card title={say('formTitle')}>
          <SupplierForm supplier={supplier} action={saveSupplierAction} />
        </Card>
        <div className="flex flex-col gap-6">
          <Card title={say('testTitle')} lead={say('testHelp')}>
            <ActionForm action={testSupplierAction} showsDone={false} className="flex flex-col gap-3">
              <input type="hidden" name="supplier" value={supplier.name} />
              <LastTest account={supplier} result={testResultOfSupplier(supplier)} name={name} words="adminSuppliers" />
              <SubmitButton variant="secondary" className="self-start">
                {say('test')}
              </SubmitButton>
            </ActionForm>
          </Card>
          <HealthCard supplier={supplier} />
          {supplier.model !== 'pool' && <MoneyCard supplier={supplier} />}
          {supplier.fields.some(({ isStored }) => isStored) && (
            <Card title={say('forgetTitle')} lead={say('forgetHelp')}>
              <ActionForm action={forgetSupplierAction}>
                <input type="hidden" name="supplier" value={supplier.name} />
                <SubmitButton variant="danger">{say('forget')}</SubmitButton>
              </ActionForm>
            </Card>
          )}
        </div>
      </div>
    </>
  )
}

async function HealthCard({ supplier }: { supplier: SupplierView }) {
  const say = await getTranslations('adminSuppliers')
  const { health } = supplier
  const state = healthOf(supplier)
  const count = health?.failures ?? 0
  return (
    <Card title={say('healthTitle')} action={<SupplierHealthStatus supplier={supplier} />}>
      <p className="text-sm">
        {state === 'open'
          ? say.rich('healthOpen', { count, time: () => <ExactTime at={health!.openUntil!} /> })
          : state === 'failing'
            ? say('healthFailing', { count })
            : say(state === 'good' ? 'healthGood' : 'healthNone')}
      </p>
      {health && (
        <Facts
          className="mt-3"
          facts={[
            [say('lastOk'), health.lastOkAt ? <RelativeTime key="ok" at={health.lastOkAt} /> : say('never')],
            [
              say('lastError'),
              health.lastErrorAt ? (
                <span key="error" className="break-words">
                  <RelativeTime at={health.lastErrorAt} />: {health.lastError}
                </span>
              ) : (
                say('never')
              ),
            ],
          ]}
        />
      )}
    </Card>
  )
}

async function MoneyCard({ supplier }: { supplier: SupplierView }) {
  const say = await getTranslations('adminSuppliers')
  const { forecast } = supplier
  if (!forecast)
    return (
      <Card title={say(supplier.model === 'traffic' ? 'trafficTitle' : 'moneyTitle')}>
        <p className="text-sm text-muted">{say('balanceNone')}</p>
      </Card>
    )
  const [left, perDay, renewals, lasts] = await Promise.all([
    sayLeft(forecast, forecast.left),
    sayLeft(forecast, forecast.spentPerDay),
    sayLeft(forecast, forecast.renewals),
    sayLasts(forecast),
  ])
  return (
    <Card title={say(forecast.unit === 'traffic' ? 'trafficTitle' : 'moneyTitle')}>
      <Facts
        facts={[
          [say('left'), left],
          [say('asOf'), <RelativeTime key="at" at={forecast.at} />],
          [say('perDay'), perDay],
          ...(forecast.unit === 'money'
            ? ([[say('renewals', { days: HORIZON_DAYS }), renewals]] as [string, string][])
            : []),
          [say('lasts'), lasts],
        ]}
      />
    </Card>
  )
}
