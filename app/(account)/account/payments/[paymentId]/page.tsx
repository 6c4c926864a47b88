import type { Metadata } from 'next'
import { getLocale, getNow, getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import type { ReactNode } from 'react'
import { PaperLink } from '@/components/papers/paper-link'
import { PaymentTimeline } from '@/components/payments/payment-timeline'
import { nameProvider, PAYMENT_TONES, sayReviewReason } from '@/components/payments/payment-words'
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
import { formatMoney, MINUTE_MS } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { findOrderIntent } from '@/lib/orders'
import { findPayment, type PaymentView, paymentPath, type Returns } from '@/lib/payments'
import { requireUser } from '@/lib/web'

type Props = { params: Promise<{ paymentId: string }> }

export async function generateMetadata({ params }: Props): Promise<Metadata> {
  return { title: (await getTranslations('payments'))('heading', { id: shortId((await params).paymentId) }) }
}

/** A page for the provider's answer takes seconds; one that has none after this long will not get it by waiting here. */
const PREPARING_MS = MINUTE_MS

export default async function PaymentPage({ params }: Props) {
  const user = await requireUser()
  const { paymentId } = await params
  const payment = await findPayment({ userId: user.id, paymentId })
  if (!payment) notFound()
  const [say, now, provider, intent] = await Promise.all([
    getTranslations('payments'),
    getNow(),
    nameProvider(payment.provider),
    payment.orderIntentId === null ? null : findOrderIntent({ userId: user.id, intentId: payment.orderIntentId }),
  ])
  const { state, status, currency, chargeCurrency } = payment
  const wasCredited = payment.creditedMicros !== null
  const money = (micros: bigint) => <Money micros={micros} currency={currency} />
  const isStuck =
    state === 'created' &&
    (payment.events.at(-1)?.kind === 'provider_unavailable' ||
      now.getTime() - payment.createdAt.getTime() > PREPARING_MS)
  const isWaiting = ['awaiting', 'confirming', 'underpaid'].includes(state) || (state === 'created' && !isStuck)
  return (
    <>
      <PageHeader
        back={
          <Link href="/account/payments" className="text-accent underline">
            {say('allPayments')}
          </Link>
        }
        title={
          <span className="flex flex-wrap items-center gap-x-3 gap-y-1">
            {say('heading', { id: shortId(payment.id) })}
            <Status tone={PAYMENT_TONES[status]}>{say(`state_${status}`)}</Status>
          </span>
        }
        lead={<StateSentence payment={payment} isStuck={isStuck} provider={provider.name} />}
      />
      <div className="grid items-start gap-6 grid-cols-[minmax(0,1fr)] xl:grid-cols-[minmax(0,1fr)_22rem]">
        <div className="flex min-w-0 flex-col gap-6">
          {isWaiting && <Waiting payment={payment} />}
          {state === 'needs_review' && (
            <Card title={say('waitingTitle')}>
              <p>
                {await sayReviewReason(payment.reviewReason)} {say('nextReview')}
              </p>
            </Card>
          )}
          {state === 'disputed' && (
            <Alert tone="warning" title={say('waitingTitle')}>
              {say('nextDisputed')}
            </Alert>
          )}
          {intent && state === 'credited' && <IntentNote userId={user.id} intent={intent} />}
          {!isWaiting && state !== 'needs_review' && (
            <div className="flex flex-wrap gap-2">
              {wasCredited ? (
                <>
                  {!intent && state === 'credited' && <ButtonLink href="/catalogue">{say('buyNow')}</ButtonLink>}
                  <ButtonLink href="/account/balance" variant="secondary">
                    {say('toBalance')}
                  </ButtonLink>
                </>
              ) : (
                <ButtonLink
                  href={payment.orderIntentId ? `/account/top-up?intent=${payment.orderIntentId}` : '/account/top-up'}
                >
                  {say('tryAgain')}
                </ButtonLink>
              )}
            </div>
          )}
          <Card title={say('timeline')}>
            <PaymentTimeline
              events={payment.events}
              currency={currency}
              chargeCurrency={chargeCurrency}
              isRunning={isWaiting}
            />
          </Card>
        </div>
        <Card
          title={say('details')}
          action={
            payment.creditedAt !== null && <PaperLink href={`${paymentPath(payment.id)}/receipt`} kind="receipt" />
          }
        >
          <Facts
            facts={[
              [say('provider'), provider.name],
              [say('requested'), money(payment.requestedMicros)],
              ...row(
                say('charged'),
                chargeCurrency !== currency && <Money micros={payment.chargeMicros} currency={chargeCurrency} />,
              ),
              ...row(
                say('received'),
                payment.receivedMicros !== null && <Money micros={payment.receivedMicros} currency={chargeCurrency} />,
              ),
              ...row(say('credited'), payment.creditedMicros !== null && money(payment.creditedMicros)),
              ...payment.refunds.map((refund): [ReactNode, ReactNode] => [
                say('returnedTitle'),
                <span key={refund.id}>
                  {money(refund.amountMicros)}, {say(`refund_${refund.state}`)}
                </span>,
              ]),
              [say('begun'), <ExactTime key="begun" at={payment.createdAt} />],
              [say('number'), <Code key="id">{payment.id}</Code>],
            ]}
          />
        </Card>
      </div>
    </>
  )
}

/** A row of facts that is there only when it has a value. */
function row(name: string, value: ReactNode): [ReactNode, ReactNode][] {
  return value ? [[name, value]] : []
}

async function StateSentence({
  payment,
  isStuck,
  provider,
}: {
  payment: PaymentView & Pick<Returns, 'disputes'>
  isStuck: boolean
  provider: string
}) {
  const say = await getTranslations('payments')
  const money = (micros: bigint | null) => () => <Money micros={micros ?? 0n} currency={payment.currency} />
  const charged = (micros: bigint | null) => () => <Money micros={micros ?? 0n} currency={payment.chargeCurrency} />
  const disputed = payment.disputes
    .filter((dispute) => dispute.state !== 'won')
    .reduce((sum, dispute) => sum + dispute.amountMicros, 0n)
  switch (payment.status) {
    case 'created':
      return say(isStuck ? 'isCreatedStuck' : 'isCreated')
    case 'awaiting':
      return say.rich('isAwaiting', { amount: charged(payment.chargeMicros), provider })
    case 'confirming':
      return say('isConfirming')
    case 'underpaid':
      return say.rich('isUnderpaid', {
        received: charged(payment.receivedMicros),
        amount: charged(payment.chargeMicros),
      })
    case 'expired':
      return say('isExpired')
    case 'cancelled':
      return say('isCancelled')
    case 'needs_review':
      return say('isNeedsReview')
    case 'declined':
      return say('isDeclined')
    case 'credited':
      return say.rich('isCredited', { amount: money(payment.creditedMicros) })
    case 'overpaid':
      return say.rich('isOverpaid', { amount: money(payment.creditedMicros) })
    case 'late':
      return say('isLate')
    case 'disputed':
      return say.rich('isDisputed', { amount: money(disputed) })
    case 'charged_back':
      return say.rich('isChargedBack', { amount: money(disputed) })
    case 'refunded':
      return say('isRefunded')
  }
}

/** What we wait for, since when, until when, and what comes next; the way to pay; and that one may leave. */
async function Waiting({ payment }: { payment: PaymentView & { events: { at: Date }[] } }) {
  const [say, locale] = await Promise.all([getTranslations('payments'), getLocale()])
  const next = {
    created: 'nextCreated',
    awaiting: 'nextAwaiting',
    confirming: 'nextConfirming',
    underpaid: 'nextUnderpaid',
  } as const
  const { state } = payment
  const canPay = payment.checkoutUrl !== null && (state === 'awaiting' || state === 'underpaid')
  const restMicros = payment.chargeMicros - (payment.receivedMicros ?? 0n)
  return (
    <Card title={say('waitingTitle')}>
      <div role="status" className="flex flex-col gap-2">
        <p>{say(next[state as keyof typeof next])}</p>
        <p className="text-muted">
          {say.rich('waitingSince', {
            time: () => <ExactTime at={payment.events.at(-1)?.at ?? payment.createdAt} />,
          })}{' '}
          {canPay && payment.expiresAt && (
            <>
              {say.rich('waitingUntil', {
                time: () => <ExactTime at={payment.expiresAt ?? payment.createdAt} />,
              })}{' '}
            </>
          )}
          {say('leave')}
        </p>
      </div>
      <div className="mt-4 flex flex-wrap gap-2">
        {canPay && payment.checkoutUrl && (
          <a href={payment.checkoutUrl} rel="noreferrer" className={buttonStyles()}>
            {say('payNow', { amount: formatMoney(restMicros, payment.chargeCurrency, locale) })}
          </a>
        )}
        <ButtonLink href={paymentPath(payment.id)} variant="secondary">
          {say('checkAgain')}
        </ButtonLink>
      </div>
      <RefreshWhile />
    </Card>
  )
}

type Intent = NonNullable<Awaited<ReturnType<typeof findOrderIntent>>>

/** What became of the choice that waited for this money. */
async function IntentNote({ userId, intent }: { userId: string; intent: Intent }) {
  const [say, locale, balance] = await Promise.all([getTranslations('payments'), getLocale(), getBalance({ userId })])
  if (intent.orderId)
    return (
      <Alert tone="good" title={say('intentPlaced')}>
        <ButtonLink href={`/account/orders/${intent.orderId}`} className="mt-2">
          {say('intentOpen', { id: shortId(intent.orderId) })}
        </ButtonLink>
      </Alert>
    )
  if (intent.state === 'waiting') {
    const missingMicros = intent.totalMicros + balance.owedMicros - balance.balanceMicros
    const missing = formatMoney(missingMicros, intent.currency, locale)
    return missingMicros > 0n ? (
      <Alert tone="info" title={say('intentStillMissing', { missing })}>
        <ButtonLink href={`/account/top-up?intent=${intent.id}`} className="mt-2">
          {say('topUpTitle')}
        </ButtonLink>
      </Alert>
    ) : (
      <Alert tone="info" title={say('intentWaiting')}>
        <RefreshWhile />
      </Alert>
    )
  }
  const isRefused = intent.state === 'refused'
  const reason = intent.refusal === 'price_changed' || intent.refusal === 'sold_out' ? intent.refusal : 'other'
  return (
    <Alert tone="warning">
      {isRefused ? say('intentRefused', { reason: say(`intentReason_${reason}`) }) : say('intentExpired')}
    </Alert>
  )
}
