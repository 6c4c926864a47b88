import type { Metadata } from 'next'
import { getNow, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { MaintenanceLines } from '@/components/announcements/maintenance-notes'
import { RenewalPriceNotice } from '@/components/catalogue/planned-prices'
import { planPath } from '@/components/catalogue/plan-path'
import { DowntimesCard, OrderChecksCard } from '@/components/checks/order-checks'
import { CancelCard, RemedyCard, RenewalCard } from '@/components/holdings/order-cards'
import { OrderTimeline } from '@/components/orders/order-timeline'
import { RenewalList } from '@/components/orders/renewal-list'
import { nameChoice, ORDER_TONES, shownState } from '@/components/orders/order-words'
import { ProxyList, TestCommand } from '@/components/orders/proxy-list'
import { PROXY_TEXTS, type ProxyTexts } from '@/components/orders/proxy-texts'
import { PaperLink } from '@/components/papers/paper-link'
import { Alert } from '@/components/ui/alert'
import { ButtonLink } from '@/components/ui/button'
import { buttonStyles } from '@/components/ui/button-styles'
import { Card } from '@/components/ui/card'
import { Money } from '@/components/ui/money'
import { PageHeader } from '@/components/ui/page-header'
import { RefreshWhile } from '@/components/ui/refresh-while'
import { shortId } from '@/components/ui/short-id'
import { Status } from '@/components/ui/status'
import { Code, Facts } from '@/components/ui/table'
import { ExactTime } from '@/components/ui/time'
import { readPolicy } from '@/lib/catalog'
import { getOrderChecks, listDowntimes } from '@/lib/checks'
import { env } from '@/lib/env'
import { findOrder, listRenewals, OPEN_ORDER_STATES, type OrderDetails } from '@/lib/orders'
import { nameCodes } from '@/lib/promotions'
import { type AllocationView, listAllocations } from '@/lib/provisioning'
import { listCredits, listReplacements } from '@/lib/remedies'
import { requireUser } from '@/lib/web'
import { selectAction } from '../../proxies/actions'
import { checkAction } from './check-action'
import { cancelAction, switchRenewalAction } from './life-actions'

type Props = { params: Promise<{ orderId: string }> }

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await getTranslations('orders'))('heading', { id: shortId((await params).orderId) }) }
}

export default async function OrderPage({ params }: Props) {
  const user = await requireUser()
  const { orderId } = await params
  const order = await findOrder({ orderId, userId: user.id })
  if (!order) notFound()
  const own = { userId: user.id, orderId: order.id }
  const [say, now, names, proxies, checks, downtimes, renewals, policy, replacements, credits, codes] =
    await Promise.all([
      getTranslations('orders'),
      getNow(),
      nameChoice(order),
      listAllocations(own),
      getOrderChecks(own),
      listDowntimes(own),
      listRenewals(own),
      readPolicy(order.policyId),
      listReplacements(own),
      listCredits(own),
      nameCodes([order.promotionId]),
    ])
  const state = shownState(order, now)
  const end = order.events.find(
    (event) => event.kind === 'delivered' || event.kind === 'failed' || event.kind === 'cancelled',
  )
  const charged = microsOf(end?.data.capturedMicros)
  const returned = microsOf(end?.data.releasedMicros)
  const money = (micros: bigint) => <Money micros={micros} currency={order.currency} />
  const again = planPath(names.slug ?? '', {
    country: order.countryCode,
    days: order.periodDays,
    quantity: order.quantity,
  })
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/orders" className="text-accent underline">
            {say('allOrders')}
          </Link>
        }
        title={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            {say('heading', { id: shortId(order.id) })}
            <Status tone={ORDER_TONES[state]}>{say(`state_${state}`)}</Status>
          </span>
        }
        lead={<StateSentence order={order} state={state} delivered={proxies.length} returnedMicros={returned} />}
      />
      <div className="grid items-start gap-6 grid-cols-[minmax(0,1fr)] xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-6">
          {OPEN_ORDER_STATES.includes(order.state) && <Waiting order={order} />}
          {order.state === 'placed' && <CancelCard orderId={order.id} action={cancelAction} />}
          {order.state === 'failed' && (
            <Card title={say('failedTitle')}>
              <p>{say(order.failure === 'sold_out' ? 'failure_sold_out' : 'failure_supplier_failed')}</p>
              <p className="mt-1">{say.rich('failedMoney', { amount: () => money(returned) })}</p>
              <ButtonLink href={names.slug ? again : '/catalogue'} className="mt-4">
                {say('again')}
              </ButtonLink>
            </Card>
          )}
          {order.state === 'active' && returned > 0n && (
            <Alert tone="warning" title={say('partTitle')}>
              {say.rich('part', {
                delivered: proxies.length,
                ordered: order.quantity,
                amount: () => money(returned),
              })}
            </Alert>
          )}
          <MaintenanceLines userId={user.id} orderId={order.id} />
          <RenewalPriceNotice userId={user.id} orderId={order.id} />
          {proxies.length > 0 && <Proxies orderId={order.id} proxies={proxies} />}
          {proxies.length > 0 && (
            <>
              <OrderChecksCard
                orderId={order.id}
                deliveredAt={order.deliveredAt}
                checks={checks}
                action={checkAction}
              />
              <DowntimesCard downtimes={downtimes} rows={checks.rows} />
              <RenewalList orderId={order.id} renewals={renewals} />
            </>
          )}
          {order.deliveredAt !== null && (
            <RemedyCard
              order={order}
              policy={policy}
              replacements={replacements}
              credits={credits}
              select={selectAction}
            />
          )}
        </div>
        <div className="flex min-w-0 flex-col gap-6">
          <RenewalCard order={order} select={selectAction} switchRenewal={switchRenewalAction} />
          <Card
            title={say('details')}
            action={
              order.deliveredAt !== null && <PaperLink href={`/account/orders/${order.id}/invoice`} kind="invoice" />
            }
          >
            <Facts
              facts={[
                [say('plan'), names.plan],
                [say('country'), names.country],
                [say('quantity'), names.pieces],
                [say('period'), names.period],
                [say('unitPrice'), money(order.unitPriceMicros)],
                ...(order.discountMicros > 0n
                  ? [[say('discount'), money(-order.discountMicros)] satisfies [string, React.ReactNode]]
                  : []),
                ...(order.promotionId
                  ? [
                      [
                        say('promotion', { code: codes.get(order.promotionId) ?? '' }),
                        money(-order.promotionMicros),
                      ] satisfies [string, React.ReactNode],
                    ]
                  : []),
                [say('total'), money(order.totalMicros)],
                ...(end ? [[say('charged'), money(charged)] satisfies [string, React.ReactNode]] : []),
                ...(returned > 0n ? [[say('returned'), money(returned)] satisfies [string, React.ReactNode]] : []),
                [say('number'), <Code key="id">{order.id}</Code>],
              ]}
            />
          </Card>
          <Card title={say('timeline')}>
            <OrderTimeline order={order} />
          </Card>
        </div>
      </div>
    </>
  )
}

function microsOf(text: unknown): bigint {
  return typeof text === 'string' ? BigInt(text) : 0n
}

async function StateSentence({
  order,
  state,
  delivered,
  returnedMicros,
}: {
  order: OrderDetails
  state: ReturnType<typeof shownState>
  delivered: number
  returnedMicros: bigint
}) {
  const say = await getTranslations('orders')
  const until = () => (order.expiresAt ? <ExactTime at={order.expiresAt} /> : '–')
  const held = () => <Money micros={order.totalMicros} currency={order.currency} />
  switch (state) {
    case 'placed':
      return say.rich('isPlaced', { amount: held })
    case 'delivering':
      return say.rich('isDelivering', { amount: held })
    case 'unknown':
      return say('isUnknown')
    case 'active':
      return say.rich('isActive', { delivered, ordered: order.quantity, until })
    case 'expired':
      return say.rich('isExpired', { until })
    case 'in_grace':
      return say.rich('isInGrace', { until })
    case 'refunded':
      return say('isRefunded')
    case 'withdrawn':
      return say('isWithdrawn')
    case 'cancelled':
      return say.rich('isCancelled', { amount: () => <Money micros={returnedMicros} currency={order.currency} /> })
    case 'failed':
      return say.rich('isFailed', { amount: () => <Money micros={returnedMicros} currency={order.currency} /> })
  }
}

/** What we wait for, since when, and what comes next. The page moves by itself; the link is for browsers without script. */
async function Waiting({ order }: { order: OrderDetails }) {
  const say = await getTranslations('orders')
  const since = order.events.at(-1)?.at ?? order.placedAt
  const next =
    order.state === 'placed'
      ? say('waitingPlaced')
      : order.state === 'unknown'
        ? say('waitingUnknown')
        : say('waitingDelivering')
  return (
    <Card title={say('waitingTitle')}>
      <div role="status" className="flex flex-col gap-2">
        <p>
          {say.rich('waitingSince', { time: () => <ExactTime at={since} /> })} {next}
        </p>
        <p className="text-muted">{say('leave')}</p>
      </div>
      <ButtonLink href={`/account/orders/${order.id}`} variant="secondary" size="sm" className="mt-4">
        {say('checkAgain')}
      </ButtonLink>
      <RefreshWhile />
    </Card>
  )
}

async function Proxies({ orderId, proxies }: { orderId: string; proxies: AllocationView[] }) {
  const [say, common] = await Promise.all([getTranslations('orders'), getTranslations('common')])
  const texts = {
    ...(Object.fromEntries(PROXY_TEXTS.map((key) => [key, say.raw(key) as string])) as ProxyTexts),
    copy: common('copy'),
    copied: common('copied'),
    show: common('show'),
    hide: common('hide'),
  }
  const target = new URL('/api/health', env().PUBLIC_URL).href
  const copied = proxies.map(({ id, host, port, username, password }) => ({ id, host, port, username, password }))
  return (
    <>
      <Card
        title={say('proxies')}
        action={
          <div className="flex flex-wrap items-center gap-2 text-sm">
            <span className="text-muted">{say('download')}</span>
            {['txt', 'csv', 'json'].map((kind) => (
              <a
                key={kind}
                href={`/account/orders/${orderId}/export?format=${kind}`}
                download
                aria-label={say('downloadAs', { format: kind.toUpperCase() })}
                className={buttonStyles({ variant: 'secondary', size: 'sm' })}
              >
                {kind.toUpperCase()}
              </a>
            ))}
            <ButtonLink href={`/account/proxies/export?order=${orderId}`} variant="quiet" size="sm">
              {say('moreFormats')}
            </ButtonLink>
          </div>
        }
      >
        <ProxyList proxies={copied} target={target} texts={texts} />
      </Card>
      <Card title={say('testTitle')} lead={say('testLead')}>
        <TestCommand proxy={copied[0]!} target={target} texts={texts} />
      </Card>
    </>
  )
}
