import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { Status } from '@/components/ui/status'
import { DataTable } from '@/components/ui/table'
import { type CatalogPlan, isOnSale, readCatalog } from '@/lib/catalog'
import { env } from '@/lib/env'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('admin'))('catalogueTitle') }
}

export default async function AdminCataloguePage() {
  await requireAdmin('catalog.write')
  const [say, sayPrices, locale, products] = await Promise.all([
    getTranslations('admin'),
    getTranslations('prices'),
    getLocale(),
    readCatalog({ fresh: true }),
  ])
  const inWords = (thing: { nameEn: string; nameRu: string }) => (locale === 'ru' ? thing.nameRu : thing.nameEn)
  const state = (isShown: boolean) =>
    isShown ? <Status tone="good">{say('onSale')}</Status> : <Status>{say('hidden')}</Status>
  const cheapest = (plan: CatalogPlan) =>
    plan.periods.reduce<bigint | null>(
      (least, { unitPriceMicros }) => (least === null || unitPriceMicros < least ? unitPriceMicros : least),
      null,
    )
  const create = <ButtonLink href="/admin/catalogue/products/new">{say('newProduct')}</ButtonLink>
  return (
    <>
      <PageHeader
        title={say('catalogueTitle')}
        lead={say('catalogueLead')}
        action={
          <span className="flex flex-wrap gap-2">
            <ButtonLink href="/admin/catalogue/simulator" variant="secondary">
              {sayPrices('simulator')}
            </ButtonLink>
            {create}
          </span>
        }
      />
      {products.length === 0 && (
        <EmptyState title={say('catalogueEmpty')} action={create}>
          {say('catalogueEmptyText')}
        </EmptyState>
      )}
      <div className="flex flex-col gap-6">
        {products.map((product) => (
          <Card
            key={product.id}
            title={
              <span className="inline-flex flex-wrap items-center gap-2">
                <Link href={`/admin/catalogue/products/${product.id}`} className="text-accent underline">
                  {inWords(product)}
                </Link>
                {state(product.isActive)}
              </span>
            }
            lead={say(`kind_${product.kind as 'isp'}`)}
            action={
              <ButtonLink href={`/admin/catalogue/plans/new?product=${product.id}`} size="sm" variant="secondary">
                {say('newPlan')}
              </ButtonLink>
            }
          >
            <DataTable
              caption={say('plansCaption', { product: inWords(product) })}
              rows={product.plans}
              rowKey={(plan) => plan.id}
              empty={<p className="text-sm text-muted">{say('noPlans')}</p>}
              columns={[
                {
                  key: 'plan',
                  head: say('plan'),
                  cell: (plan) => (
                    <Link href={`/admin/catalogue/plans/${plan.id}`} className="text-accent underline">
                      {inWords(plan)}
                    </Link>
                  ),
                },
                { key: 'state', head: say('state'), cell: (plan) => state(product.isActive && isOnSale(plan)) },
                {
                  key: 'places',
                  head: say('places'),
                  cell: (plan) =>
                    [...new Set(plan.offers.filter((offer) => offer.isActive).map((offer) => offer.countryCode))].join(
                      ', ',
                    ) || '–',
                },
                { key: 'revision', head: say('revision'), isNumber: true, cell: (plan) => String(plan.revision) },
                {
                  key: 'from',
                  head: say('fromPrice'),
                  isNumber: true,
                  cell: (plan) => {
                    const micros = cheapest(plan)
                    return micros === null ? '–' : <Money micros={micros} currency={env().SHOP_CURRENCY} />
                  },
                },
              ]}
            />
          </Card>
        ))}
      </div>
    </>
  )
}
