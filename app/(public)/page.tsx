import { getLocale, getTranslations } from 'next-intl/server'
import { Calculator } from '@/components/catalogue/calculator'
import { fromPrice, placesOf, readChoice } from '@/components/catalogue/choice'
import { planPath } from '@/components/catalogue/plan-path'
import { nameProvider } from '@/components/payments/payment-words'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { type CatalogPlan, listCatalog } from '@/lib/catalog'
import { env } from '@/lib/env'
import { enabledProviders } from '@/lib/payments'
import { listAvailability } from '@/lib/provisioning'
import { currentUser } from '@/lib/web'
import Link from 'next/link'

/** In one screen: what is sold, from what price, where, how to pay, what is not logged. Each sentence is a rule that the code holds. */
export default async function HomePage() {
  const [say, locale, user, products, availability] = await Promise.all([
    getTranslations('home'),
    getLocale(),
    currentUser(),
    listCatalog(),
    listAvailability(),
  ])
  const plans = products.flatMap((product) => product.plans)
  const first = plans[0]
  const places = first ? placesOf(first, availability, locale) : []
  const providers = await Promise.all((await enabledProviders()).map(({ name }) => nameProvider(name)))
  const list = new Intl.ListFormat(locale, { type: 'disjunction' })
  return (
    <div className="flex flex-col gap-12">
      <div className="grid items-start gap-8 lg:grid-cols-2 lg:gap-12">
        <div className="lg:pt-4">
          <h1 className="text-2xl font-semibold tracking-tight max-sm:text-xl">{say('title')}</h1>
          <p className="mt-4 text-lg text-muted max-sm:text-base">{say('lead')}</p>
          <div className="mt-8 flex flex-wrap gap-3">
            {!user && (
              <ButtonLink href="/sign-up" size="lg">
                {say('start')}
              </ButtonLink>
            )}
            <ButtonLink href="/catalogue" size="lg" variant={user ? 'primary' : 'secondary'}>
              {say('see')}
            </ButtonLink>
          </div>
        </div>
        {first && (
          <Card title={say('calculatorTitle', { plan: locale === 'ru' ? first.nameRu : first.nameEn })}>
            <Calculator
              plan={first}
              places={places}
              choice={readChoice(first, places, { quantity: '10' })}
              use={{ kind: 'look' }}
            />
          </Card>
        )}
      </div>
      {products.length > 0 && (
        <section aria-labelledby="sold">
          <h2 id="sold" className="mb-4 text-lg font-semibold">
            {say('soldTitle')}
          </h2>
          <div className="grid gap-4 md:grid-cols-3">
            {products.map((product) => (
              <Card key={product.id} title={locale === 'ru' ? product.nameRu : product.nameEn}>
                <p className="text-sm text-muted">{locale === 'ru' ? product.descriptionRu : product.descriptionEn}</p>
                <ul className="mt-4 divide-y border-t text-sm">
                  {product.plans.map((plan) => (
                    <PlanRow key={plan.id} plan={plan} availability={availability} />
                  ))}
                </ul>
              </Card>
            ))}
          </div>
        </section>
      )}
      <section aria-labelledby="rules">
        <h2 id="rules" className="mb-4 text-lg font-semibold">
          {say('rulesTitle')}
        </h2>
        <dl className="grid gap-x-10 gap-y-6 md:grid-cols-3">
          <Rule title={say('payTitle')}>
            {providers.length > 0
              ? say('payText', { providers: list.format(providers.map(({ name }) => name)) })
              : say('payNone')}
          </Rule>
          <Rule title={say('deliveryTitle')}>{say('deliveryText')}</Rule>
          <Rule title={say('logTitle')}>{say('logText')}</Rule>
        </dl>
      </section>
    </div>
  )
}

async function PlanRow({ plan, availability }: { plan: CatalogPlan; availability: Map<string, number | null> }) {
  const [say, common, locale] = await Promise.all([
    getTranslations('catalogue'),
    getTranslations('common'),
    getLocale(),
  ])
  const from = fromPrice(plan)
  return (
    <li className="py-3">
      <div className="flex flex-wrap justify-between gap-x-4">
        <Link href={planPath(plan.slug)} className="font-medium text-accent underline">
          {locale === 'ru' ? plan.nameRu : plan.nameEn}
        </Link>
        {from && (
          <span>
            {say.rich('from', {
              price: () => <Money micros={from.unitPriceMicros} currency={env().SHOP_CURRENCY} />,
            })}{' '}
            <span className="text-muted">/ {common('days', { count: from.days })}</span>
          </span>
        )}
      </div>
      <p className="mt-1 text-muted">
        {placesOf(plan, availability, locale)
          .map((place) => place.name)
          .join(', ')}
      </p>
    </li>
  )
}

function Rule({ title, children }: { title: string; children: string }) {
  return (
    <div className="border-t pt-4">
      <dt className="font-semibold">{title}</dt>
      <dd className="mt-2 text-sm text-muted">{children}</dd>
    </div>
  )
}
