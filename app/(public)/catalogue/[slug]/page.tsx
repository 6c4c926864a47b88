import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { Available } from '@/components/catalogue/available'
import { Calculator } from '@/components/catalogue/calculator'
import { fromPrice, placesOf, readChoice } from '@/components/catalogue/choice'
import { QualityCard } from '@/components/checks/quality'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { DebtNotice } from '@/components/account/debt-notice'
import { PageHeader } from '@/components/ui/page-header'
import type { SearchParams } from '@/components/ui/search-params'
import { PlannedPrices } from '@/components/catalogue/planned-prices'
import { PolicySentences } from '@/components/catalogue/policy-sentences'
import { type CatalogPlan, discounted, findPlanBySlug, findPolicy } from '@/lib/catalog'
import { listQuality } from '@/lib/checks'
import { env } from '@/lib/env'
import { newId } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { leastTopUpMicros } from '@/lib/payments'
import { listAvailability } from '@/lib/provisioning'
import { currentUser } from '@/lib/web'
import { buyAction } from './actions'

type Props = {
  params: Promise<{ slug: string }>
  searchParams: SearchParams
}

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  const [found, locale] = await Promise.all([findPlanBySlug((await params).slug), getLocale()])
  if (!found) return {}
  return {
    title: locale === 'ru' ? found.plan.nameRu : found.plan.nameEn,
    description: locale === 'ru' ? found.product.descriptionRu : found.product.descriptionEn,
    alternates: { canonical: `/catalogue/${found.plan.slug}` },
  }
}

export default async function PlanPage({ params, searchParams }: Props) {
  const [found, query, say, common, locale, user, availability] = await Promise.all([
    findPlanBySlug((await params).slug),
    searchParams,
    getTranslations('catalogue'),
    getTranslations('common'),
    getLocale(),
    currentUser(),
    listAvailability(),
  ])
  if (!found) notFound()
  const { plan, product } = found
  const [quality, policy, sayPolicy] = await Promise.all([
    listQuality({ productId: product.id }),
    findPolicy({ productId: product.id }),
    getTranslations('policy'),
  ])
  const isByGigabyte = product.kind === 'residential'
  const places = placesOf(plan, availability, locale)
  const choice = readChoice(plan, places, query)
  const from = fromPrice(plan)
  const balance = user && (await getBalance({ userId: user.id }))
  return (
    <>
      <PageHeader
        back={
          <Link href="/catalogue" className="text-accent underline">
            {say('allPlans')}
          </Link>
        }
        title={locale === 'ru' ? plan.nameRu : plan.nameEn}
        lead={
          <>
            {locale === 'ru' ? product.descriptionRu : product.descriptionEn}{' '}
            {from && (
              <span className="text-text">
                {say.rich(isByGigabyte ? 'planLead_gb' : 'planLead', {
                  price: () => <Money micros={from.unitPriceMicros} currency={env().SHOP_CURRENCY} />,
                  period: common('days', { count: from.days }),
                })}
              </span>
            )}
          </>
        }
      />
      <div className="grid grid-cols-[minmax(0,1fr)] items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Card title={say('yourChoice')}>
          {balance && <DebtNotice owedMicros={balance.owedMicros} currency={balance.currency} />}
          <Calculator
            plan={plan}
            places={places}
            choice={choice}
            isByGigabyte={isByGigabyte}
            use={
              balance
                ? {
                    kind: 'buy',
                    action: buyAction,
                    requestKey: newId('req'),
                    balanceMicros: balance.balanceMicros,
                    owedMicros: balance.owedMicros,
                    leastTopUpMicros: await leastTopUpMicros(),
                  }
                : { kind: 'sign_in' }
            }
          />
        </Card>
        <div className="flex flex-col gap-6">
          <PlannedPrices plan={plan} />
          <Card title={say('stockTitle')}>
            <ul className="flex flex-col gap-2 text-sm">
              {places.map((place) => (
                <li key={place.code} className="flex flex-wrap justify-between gap-x-4">
                  {place.name} <Available count={place.available} />
                </li>
              ))}
            </ul>
          </Card>
          <Card title={say('factsTitle')}>
            <ul className="flex flex-col gap-3 text-sm text-muted">
              <li>{say('factDelivery')}</li>
              <li>{say('factRefund')}</li>
              <li>{say('factTest')}</li>
            </ul>
          </Card>
        </div>
        <Card title={say('tableTitle')} lead={say(isByGigabyte ? 'tableLead_gb' : 'tableLead')}>
          <PriceTable plan={plan} isByGigabyte={isByGigabyte} />
        </Card>
        <Card title={sayPolicy('title')} lead={sayPolicy('lead')}>
          <PolicySentences policy={policy.rules} />
        </Card>
        <QualityCard className="lg:col-span-2" places={places} quality={quality} />
      </div>
    </>
  )
}

/** Every price of a plan: what a piece costs, by period and by how many are taken at once. */
async function PriceTable({ plan, isByGigabyte }: { plan: CatalogPlan; isByGigabyte: boolean }) {
  const [say, common] = await Promise.all([getTranslations('catalogue'), getTranslations('common')])
  const below = { fromQuantity: plan.minQuantity, discountBasisPoints: 0 }
  const reached = plan.steps.filter((step) => step.fromQuantity <= plan.maxQuantity)
  const rows = reached.some((step) => step.fromQuantity <= plan.minQuantity) ? reached : [below, ...reached]
  return (
    <div
      role="region"
      aria-label={say('tableTitle')}
      // What scrolls must be reachable by keyboard.
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
      tabIndex={0}
      className="-mx-4 overflow-x-auto px-4 sm:-mx-6 sm:px-6"
    >
      <table className="w-full text-sm">
        <caption className="sr-only">{say('tableTitle')}</caption>
        <thead className="text-xs text-muted">
          <tr className="border-b">
            <th scope="col" className="py-2 pr-4 text-left font-medium">
              {say(isByGigabyte ? 'pieces_gb' : 'pieces')}
            </th>
            <th scope="col" className="py-2 pr-4 text-left font-medium">
              {say('discount')}
            </th>
            {plan.periods.map((period) => (
              <th key={period.days} scope="col" className="py-2 pl-4 text-right font-medium whitespace-nowrap">
                {common('days', { count: period.days })}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((step) => (
            <tr key={step.fromQuantity} className="border-b last:border-b-0">
              <th scope="row" className="py-2 pr-4 text-left font-normal whitespace-nowrap">
                {say('fromPieces', { quantity: step.fromQuantity })}
              </th>
              <td className="py-2 pr-4 whitespace-nowrap text-muted">{`${step.discountBasisPoints / 100} %`}</td>
              {plan.periods.map((period) => (
                <td key={period.days} className="py-2 pl-4 text-right">
                  <Money
                    micros={discounted(period.unitPriceMicros, step.discountBasisPoints)}
                    currency={env().SHOP_CURRENCY}
                  />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
