import type { Metadata } from 'next'
import { getFormatter, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { AccountStatus, stateOfAccount } from '@/components/admin/account-words'
import { brandOfSupplier, sayLasts, sayLeft, SupplierHealthStatus } from '@/components/admin/supplier-words'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { CheckboxField, TextField } from '@/components/ui/field'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { listMargins, listSuppliersForAdmin, marginCurrency, supplyRules } from '@/lib/provisioning'
import { requireAdmin } from '@/lib/web'
import { saveSupplyRulesAction } from '../actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSuppliers'))('title') }
}

/** Every supplier: whether it is on, how it answers, what lies there and how long it lasts; what was earned; the rules of buying. */
export default async function SuppliersPage() {
  await requireAdmin('suppliers.write')
  const [say, kinds, format, suppliers, margins, rules] = await Promise.all([
    getTranslations('adminSuppliers'),
    getTranslations('admin'),
    getFormatter(),
    listSuppliersForAdmin(),
    listMargins(),
    supplyRules.readFresh(),
  ])
  const rows = await Promise.all(
    suppliers.map(async (supplier) => ({
      supplier,
      brand: await brandOfSupplier(supplier.name),
      left: supplier.forecast && (await sayLeft(supplier.forecast, supplier.forecast.left)),
      lasts: supplier.forecast && (await sayLasts(supplier.forecast)),
    })),
  )
  const marginRows = await Promise.all(
    margins.map(async (margin) => ({ margin, source: await brandOfSupplier(margin.supplier) })),
  )
  const count = suppliers.filter((supplier) => stateOfAccount(supplier) === 'on').length
  const currency = marginCurrency()
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead', { count })}
        action={
          <ButtonLink href="/admin/suppliers/unknown" variant="secondary">
            {say('unknownLink')}
          </ButtonLink>
        }
      />
      <div className="flex flex-col gap-6">
        <DataTable
          caption={say('title')}
          rows={rows}
          rowKey={({ supplier }) => supplier.name}
          empty={null}
          columns={[
            {
              key: 'supplier',
              head: say('columnSupplier'),
              cell: ({ supplier, brand }) => (
                <Link href={`/admin/suppliers/${supplier.name}`} className="text-accent underline">
                  {brand}
                </Link>
              ),
            },
            {
              key: 'state',
              head: say('columnState'),
              cell: ({ supplier }) => <AccountStatus account={supplier} words="adminSuppliers" />,
            },
            {
              key: 'health',
              head: say('columnHealth'),
              cell: ({ supplier }) => <SupplierHealthStatus supplier={supplier} />,
            },
            { key: 'left', head: say('columnBalance'), isNumber: true, cell: ({ left }) => left ?? '–' },
            { key: 'lasts', head: say('columnLasts'), isNumber: true, cell: ({ lasts }) => lasts ?? '–' },
            {
              key: 'last',
              head: say('columnLast'),
              cell: ({ supplier }) =>
                supplier.health?.lastOkAt ? <RelativeTime at={supplier.health.lastOkAt} /> : say('never'),
            },
          ]}
        />
        <Card title={say('marginTitle')} lead={say('marginLead')}>
          <DataTable
            caption={say('marginCaption')}
            rows={marginRows}
            rowKey={({ margin }) => `${margin.supplier} ${margin.productKind}`}
            empty={<p className="text-muted">{say('marginEmpty')}</p>}
            columns={[
              { key: 'source', head: say('source'), cell: ({ source }) => source },
              {
                key: 'product',
                head: say('product'),
                cell: ({ margin }) => kinds(`kind_${margin.productKind as 'isp'}`),
              },
              {
                key: 'revenue',
                head: say('revenue'),
                isNumber: true,
                cell: ({ margin }) => <Money micros={margin.revenueMicros} currency={currency} />,
              },
              {
                key: 'cost',
                head: say('cost'),
                isNumber: true,
                cell: ({ margin }) => <Money micros={margin.costMicros} currency={currency} />,
              },
              {
                key: 'margin',
                head: say('margin'),
                isNumber: true,
                cell: ({ margin }) => <Money micros={margin.revenueMicros - margin.costMicros} currency={currency} />,
              },
              {
                key: 'unknown',
                head: say('unknownCosts'),
                isNumber: true,
                cell: ({ margin }) => (margin.unknownCosts === 0 ? '–' : format.number(margin.unknownCosts)),
              },
            ]}
          />
        </Card>
        <Card title={say('rulesTitle')} className="max-w-2xl">
          <ActionForm action={saveSupplyRulesAction} className="flex flex-col gap-4">
            <CheckboxField
              name="allowLoss"
              label={say('allowLoss')}
              help={say('allowLossHelp')}
              defaultChecked={rules.allowLoss}
            />
            <CheckboxField
              name="needsQuote"
              label={say('needsQuote')}
              help={say('needsQuoteHelp')}
              defaultChecked={rules.needsQuote}
            />
            <TextField
              name="unknownAfterMinutes"
              label={say('unknownAfterMinutes')}
              defaultValue={rules.unknownAfterMinutes}
              inputMode="numeric"
              autoComplete="off"
            />
            <TextField
              name="warnDays"
              label={say('warnDays')}
              defaultValue={rules.warnDays}
              inputMode="numeric"
              autoComplete="off"
            />
            <SubmitButton className="self-start">{say('saveRules')}</SubmitButton>
          </ActionForm>
        </Card>
      </div>
    </>
  )
}
