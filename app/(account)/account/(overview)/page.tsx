import type { Metadata } from 'next'
import { getLocale, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { DebtNotice } from '@/components/account/debt-notice'
import { StatementTable } from '@/components/account/statement-table'
import { OrderTable } from '@/components/orders/order-table'
import { sayChoice } from '@/components/orders/order-words'
import { ActionForm } from '@/components/ui/action-form'
import { ButtonLink } from '@/components/ui/button'
import { Card } from '@/components/ui/card'
import { EmptyState } from '@/components/ui/empty-state'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { RefreshWhile } from '@/components/ui/refresh-while'
import { SubmitButton } from '@/components/ui/submit-button'
import { ExactTime } from '@/components/ui/time'
import { ceilToCents, formatMoney } from '@/lib/kit'
import { getBalance, listStatement } from '@/lib/ledger'
import { countOpenOrders, listOrders, listWaitingIntents, OPEN_ORDER_STATES } from '@/lib/orders'
import { countActiveAllocations } from '@/lib/provisioning'
import { requireUser } from '@/lib/web'
import { dropIntentAction, finishIntentAction } from './actions'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('overview'))('title') }
}

export default async function OverviewPage() {
  const user = await requireUser()
  const userId = user.id
  const [say, balance, active, orders, open, intents, statement] = await Promise.all([
    getTranslations('overview'),
    getBalance({ userId }),
    countActiveAllocations({ userId }),
    listOrders({ userId }),
    countOpenOrders({ userId }),
    listWaitingIntents({ userId }),
    listStatement({ userId, limit: 5 }),
  ])
  const { currency } = balance
  const underWay = orders.rows.filter((order) => OPEN_ORDER_STATES.includes(order.state))
  // What is under way comes first; then the newest.
  const shown = [...underWay, ...orders.rows.filter((order) => !underWay.includes(order))].slice(
    0,
    Math.max(5, underWay.length),
  )
  return (
    <>
      <PageHeader
        title={say('title')}
        lead={say('lead', { proxies: active, orders: open })}
        action={orders.rows.length > 0 && <ButtonLink href="/catalogue">{say('buy')}</ButtonLink>}
      />
      {open > 0 && <RefreshWhile />}
      <DebtNotice owedMicros={balance.owedMicros} currency={currency} />
      <dl className="mb-6 grid grid-cols-2 gap-px overflow-hidden rounded-md border bg-border lg:grid-cols-4">
        <Figure name={say('balance')}>
          <Money micros={balance.balanceMicros} currency={currency} />
        </Figure>
        <Figure name={say('held')}>
          <Money micros={balance.heldMicros} currency={currency} />
        </Figure>
        <Figure name={say('active')}>{active}</Figure>
        <Figure name={say('underWay')}>{open}</Figure>
      </dl>
      <div className="flex flex-col gap-8">
        {intents.length > 0 && <WaitingIntents intents={intents} balanceMicros={balance.balanceMicros} />}
        {orders.rows.length === 0 && <FirstSteps />}
        {orders.rows.length > 0 && (
          <Part title={say('latestOrders')} more={{ href: '/account/orders', text: say('allOrders') }}>
            <OrderTable orders={shown} empty={null} />
          </Part>
        )}
        <Part title={say('movements')} more={{ href: '/account/balance', text: say('allMovements') }}>
          <StatementTable
            lines={statement.lines}
            currency={currency}
            empty={<EmptyState title={say('noMovements')} />}
          />
        </Part>
      </div>
    </>
  )
}

function Figure({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div className="bg-surface p-4">
      <dt className="text-xs text-muted">{name}</dt>
      <dd className="mt-1 text-lg font-semibold tabular-nums">{children}</dd>
    </div>
  )
}

function Part({ title, more, children }: { title: string; more: { href: string; text: string }; children: ReactNode }) {
  return (
    <section>
      <div className="mb-3 flex flex-wrap items-baseline justify-between gap-3">
        <h2 className="text-base font-semibold">{title}</h2>
        <Link href={more.href} className="text-accent underline">
          {more.text}
        </Link>
      </div>
      {children}
    </section>
  )
}

type Intents = Awaited<ReturnType<typeof listWaitingIntents>>

/** Choices that wait for money, each with what it lacks, the way to pay exactly that, and the way to let it go. */
async function WaitingIntents({ intents, balanceMicros }: { intents: Intents; balanceMicros: bigint }) {
  const [say, locale] = await Promise.all([getTranslations('overview'), getLocale()])
  return (
    <Card title={say('waitingTitle')} lead={say('waitingLead')}>
      <ul className="divide-y">
        {intents.map(async (intent) => {
          const missingMicros = intent.totalMicros - balanceMicros
          const money = (micros: bigint) => formatMoney(micros, intent.currency, locale)
          return (
            <li
              key={intent.id}
              className="flex flex-wrap items-center justify-between gap-x-6 gap-y-3 py-4 first:pt-0 last:pb-0"
            >
              <div className="min-w-0">
                <p className="font-medium">
                  {await sayChoice(intent)} · {money(intent.totalMicros)}
                </p>
                <p className="mt-0.5 text-muted">
                  {missingMicros > 0n ? say('missing', { missing: money(missingMicros) }) : say('covered')}{' '}
                  {say.rich('waitingUntil', { time: () => <ExactTime at={intent.expiresAt} /> })}
                </p>
              </div>
              <div className="flex flex-wrap items-start gap-2">
                {missingMicros > 0n ? (
                  <ButtonLink href={`/account/top-up?intent=${intent.id}`}>
                    {say('finish', { amount: money(ceilToCents(missingMicros)) })}
                  </ButtonLink>
                ) : (
                  <ActionForm action={finishIntentAction}>
                    <input type="hidden" name="intentId" value={intent.id} />
                    <SubmitButton>{say('buyNow', { total: money(intent.totalMicros) })}</SubmitButton>
                  </ActionForm>
                )}
                <ActionForm action={dropIntentAction}>
                  <input type="hidden" name="intentId" value={intent.id} />
                  <SubmitButton variant="quiet">{say('drop')}</SubmitButton>
                </ActionForm>
              </div>
            </li>
          )
        })}
      </ul>
    </Card>
  )
}

/** What a new customer does next. */
async function FirstSteps() {
  const say = await getTranslations('overview')
  const steps = [
    { title: say('startChoose'), text: say('startChooseText') },
    { title: say('startPay'), text: say('startPayText') },
    { title: say('startUse'), text: say('startUseText') },
  ]
  return (
    <Card title={say('startTitle')}>
      <ol className="grid gap-6 md:grid-cols-3">
        {steps.map((step, index) => (
          <li key={step.title} className="flex gap-3">
            <span
              aria-hidden="true"
              className="flex size-7 shrink-0 items-center justify-center rounded-full bg-accent-soft font-semibold text-accent"
            >
              {index + 1}
            </span>
            <div>
              <p className="font-medium">{step.title}</p>
              <p className="mt-1 text-muted">{step.text}</p>
            </div>
          </li>
        ))}
      </ol>
      <ButtonLink href="/catalogue" className="mt-6">
        {say('buy')}
      </ButtonLink>
    </Card>
  )
}
