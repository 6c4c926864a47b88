import type { Metadata } from 'next'
import { NextIntlClientProvider } from 'next-intl'
import { getFormatter, getLocale, getMessages, getTranslations } from 'next-intl/server'
import { StockImport } from '@/components/admin/stock-import'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { PageHeader } from '@/components/ui/page-header'
import { DataTable } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { readCatalog } from '@/lib/catalog'
import { listUsernames } from '@/lib/identity'
import { countStock, listStockImports } from '@/lib/provisioning'
import { requireAdmin } from '@/lib/web'
import { importStockAction, previewStockAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('stockTitle') }
}

export default async function StockPage() {
  await requireAdmin('stock.import')
  const [say, format, locale, messages, products, counts, imports] = await Promise.all([
    getTranslations('admin'),
    getFormatter(),
    getLocale(),
    getMessages(),
    readCatalog({ fresh: true }),
    countStock(),
    listStockImports(),
  ])
  const offers = products.flatMap((product) =>
    product.plans.flatMap((plan) =>
      plan.offers
        .filter((offer) => offer.supplier === 'stock')
        .map((offer) => ({
          id: offer.id,
          text: `${locale === 'ru' ? plan.nameRu : plan.nameEn} · ${offer.countryCode}`,
        })),
    ),
  )
  const nameOf = new Map(offers.map((offer) => [offer.id, offer.text]))
  const countOf = new Map(counts.map((each) => [each.offerId, each]))
  const staff = await listUsernames(imports.map((each) => each.importedBy))
  const column = (key: 'free' | 'reserved' | 'sold' | 'withdrawn', head: string) => ({
    key,
    head,
    isNumber: true,
    cell: (offer: { id: string }) => format.number(countOf.get(offer.id)?.[key] ?? 0),
  })
  return (
    <>
      <PageHeader title={say('stockTitle')} lead={say('stockLead')} />
      <div className="flex flex-col gap-6">
        <DataTable
          caption={say('stockCaption')}
          rows={offers}
          rowKey={(offer) => offer.id}
          empty={<EmptyState title={say('stockEmpty')}>{say('stockEmptyText')}</EmptyState>}
          columns={[
            { key: 'offer', head: say('offer'), cell: (offer) => offer.text },
            column('free', say('free')),
            column('reserved', say('reserved')),
            column('sold', say('soldUnits')),
            column('withdrawn', say('withdrawn')),
          ]}
        />
        {offers.length > 0 && (
          <Card title={say('importTitle')} lead={say('importLead')}>
            <NextIntlClientProvider messages={{ admin: (messages as { admin: object }).admin }}>
              <StockImport offers={offers} preview={previewStockAction} add={importStockAction} />
            </NextIntlClientProvider>
          </Card>
        )}
        <section>
          <h2 className="mb-3 text-base font-semibold">{say('importsTitle')}</h2>
          <DataTable
            caption={say('importsCaption')}
            rows={imports}
            rowKey={(each) => each.id}
            empty={<p className="text-muted">{say('importsEmpty')}</p>}
            columns={[
              { key: 'at', head: say('importedAt'), cell: (each) => <RelativeTime at={each.at} /> },
              { key: 'offer', head: say('offer'), cell: (each) => nameOf.get(each.offerId) ?? '–' },
              { key: 'by', head: say('importedBy'), cell: (each) => staff.get(each.importedBy) ?? '–' },
              { key: 'added', head: say('added'), isNumber: true, cell: (each) => format.number(each.added) },
              {
                key: 'skipped',
                head: say('skipped'),
                isNumber: true,
                cell: (each) =>
                  each.skipped === 0 ? (
                    format.number(0)
                  ) : (
                    <a href={`/admin/stock/imports/${each.id}`} download className="text-accent underline">
                      {format.number(each.skipped)}
                    </a>
                  ),
              },
            ]}
          />
        </section>
      </div>
    </>
  )
}
