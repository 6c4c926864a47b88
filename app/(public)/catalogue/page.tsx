import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import { fromPrice, placesOf } from '@/components/catalogue/choice'
import { planPath } from '@/components/catalogue/plan-path'
import { Available } from '@/components/catalogue/available'
import { ButtonLink } from '@/components/ui/button'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { type CatalogPlan, listCatalog } from '@/lib/catalog'
import { env } from '@/lib/env'
import { listAvailability } from '@/lib/provisioning'

export async function generateMetadata(): Promise<Metadata> {
  const say = await getTranslations('catalogue')
  return { title: say('title'), description: say('lead') }
}

export default async function CataloguePage() {
  const [say, locale, products, availability] = await Promise.all([
    getTranslations('catalogue'),
    getLocale(),
    listCatalog(),
    listAvailability(),
  ])
  return (
    <>
      <PageHeader title={say('title')} lead={say('lead')} />
      {products.length === 0 && <EmptyState title={say('emptyTitle')}>{say('emptyText')}</EmptyState>}
      <div className="flex flex-col gap-12">
        {products.map((product) => (
          <section key={product.id} aria-labelledby={product.slug}>
            <h2 id={product.slug} className="text-lg font-semibold">
              {locale === 'ru' ? product.nameRu : product.nameEn}
            </h2>
            <p className="mt-1 max-w-2xl text-muted">
              {locale === 'ru' ? product.descriptionRu : product.descriptionEn}
            </p>
            <div className="mt-4 grid gap-4 md:grid-cols-2">
              {product.plans.map((plan) => (
                <PlanCard
                  key={plan.id}
                  plan={plan}
                  isByGigabyte={product.kind === 'residential'}
                  availability={availability}
                />
              ))}
            </div>
          </section>
        ))}
      </div>
    </>
  )
}

async function PlanCard({
  plan,
  isByGigabyte,
  availability,
}: {
  plan: CatalogPlan
  isByGigabyte: boolean
  availability: Map<string, number | null>
}) {
  const [say, common, locale] = await Promise.all([
    getTranslations('catalogue'),
    getTranslations('common'),
    getLocale(),
  ])
  const name = locale === 'ru' ? plan.nameRu : plan.nameEn
  const from = fromPrice(plan)
  const step = plan.steps.at(-1)
  return (
    <article className="flex flex-col gap-4 rounded-md border bg-surface p-4 sm:p-6">
      <div className="flex flex-wrap items-baseline justify-between gap-x-4 gap-y-1">
        <h3 className="text-base font-semibold">{name}</h3>
        {from && (
          <p className="text-sm text-muted">
            {say.rich('from', {
              price: () => (
                <Money
                  micros={from.unitPriceMicros}
                  currency={env().SHOP_CURRENCY}
                  className="text-base font-semibold text-text"
                />
              ),
            })}{' '}
            {say(isByGigabyte ? 'fromFor_gb' : 'fromFor', { period: common('days', { count: from.days }) })}
          </p>
        )}
      </div>
      <dl className="grid grid-cols-[max-content_1fr] gap-x-6 gap-y-1.5 text-sm">
        <dt className="text-muted">{say('periods')}</dt>
        <dd>{plan.periods.map((period) => common('days', { count: period.days })).join(', ')}</dd>
        <dt className="text-muted">{say(isByGigabyte ? 'quantities_gb' : 'quantities')}</dt>
        <dd>{say('range', { min: plan.minQuantity, max: plan.maxQuantity })}</dd>
        <dt className="text-muted">{say('discount')}</dt>
        <dd>
          {step
            ? say('discountUpTo', { percent: `${step.discountBasisPoints / 100} %`, quantity: step.fromQuantity })
            : say('noDiscount')}
        </dd>
        <dt className="text-muted">{say('countries')}</dt>
        <dd>
          <ul className="flex flex-col gap-1">
            {placesOf(plan, availability, locale).map((place) => (
              <li key={place.code} className="flex flex-wrap gap-x-2">
                {place.name} <Available count={place.available} />
              </li>
            ))}
          </ul>
        </dd>
      </dl>
      <ButtonLink href={planPath(plan.slug)} variant="secondary" className="mt-auto self-start">
        {say('choose', { plan: name })}
      </ButtonLink>
    </article>
  )
}
