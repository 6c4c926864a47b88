import { recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import {
  accepted,
  HOUR_MS,
  inLane,
  isWholeCents,
  MINUTE_MS,
  newId,
  OperationalError,
  type Refusal,
  refused,
  type Result,
} from '@/lib/kit'
import { log } from '@/lib/log'
import { type CodeRefusal, findBonus, type FoundPromotion, reserveUse } from '@/lib/promotions'
import type { Provider } from './providers/provider'
import { findEnabledProvider } from './providers/registry'
import { OPEN_STATES, type PaymentState } from './states'
import { quoteCharge } from './quote-charge'
import { paymentRules } from './rules'
import { topUpLimits } from './top-up-limits'

/** How long a customer may pay: coins need minutes to be bought and up to an hour to be confirmed. */
const CHECKOUT_LIFETIME_MS = 2 * HOUR_MS
const DAY_MS = 24 * HOUR_MS

/** Who pays, and from which network address: guessing of codes is counted by both. */
export type TopUpActor = { id: string; locale: string; address?: string | null }
export type StartTopUpInput = {
  provider: string
  amountMicros: bigint
  requestKey: string
  orderIntentId?: string | undefined
  promotionCode?: string | undefined
}
export type StartedTopUp = {
  paymentId: string
  state: PaymentState
  /** Where to pay; null once the payment is past paying. */
  checkoutUrl: string | null
}
export type TopUpRefusal =
  | CodeRefusal
  | Refusal<
      | 'unknown_provider'
      | 'amount_out_of_range'
      | 'amount_not_whole_cents'
      | 'too_many_open_payments'
      | 'first_top_up_too_large'
      | 'daily_limit_reached'
      | 'currency_not_taken'
      | 'request_key_reused'
      | 'provider_unavailable'
    >

/**
 * Begins to bring money in: our row first, then the provider's page. The same request key returns the same payment, so a double click pays once;
 * the same key with another amount or provider is refused. When the provider is down the payment stays, and the same call tries again.
 * Amounts are micros of the shop's currency, in whole cents. Where the provider asks in another currency, the amount is quoted now, and the credit will be
 * the share of it that comes. A code's use is reserved with the payment, and its bonus comes with the credit. Refuses what the provider, the shop's rules
 * (`paymentRules`) or a limit of the customer's do not allow, and about the code `promotion_not_valid` and `too_many_tries` {seconds}.
 */
export async function startTopUp(
  actor: TopUpActor,
  input: StartTopUpInput,
  options: { providers?: readonly Provider[]; now?: Date } = {},
): Promise<Result<StartedTopUp, TopUpRefusal>> {
  const now = options.now ?? new Date()
  const provider = await findEnabledProvider(input.provider, options.providers)
  if (!provider) return refused('unknown_provider')
  if (!isWholeCents(input.amountMicros)) return refused('amount_not_whole_cents')
  const { minMicros, maxMicros } = topUpLimits(provider)
  if (input.amountMicros < minMicros || input.amountMicros > maxMicros)
    return refused('amount_out_of_range', { minMicros: minMicros.toString(), maxMicros: maxMicros.toString() })

  const charge = quoteCharge(provider, input.amountMicros)
  if (!charge) return refused('currency_not_taken')

  const row = await inLane(`top_up:${actor.id}`, () => beginPayment(actor, { ...input, charge }, now))
  if (!row.ok) return row
  const payment = row.value
  if (payment.checkoutUrl || (payment.state !== 'created' && payment.state !== 'awaiting'))
    return accepted(view(payment))
  // Two clicks at once would both ask; in a lane the second finds what the first made.
  return inLane(`checkout:${payment.id}`, () => openCheckout(actor, provider, payment.id, now))
}

type Row = {
  id: string
  state: string
  provider: string
  requestedMicros: bigint
  chargeMicros: bigint
  chargeCurrency: string
  checkoutUrl: string | null
  createdAt: Date
}
const ROW = {
  id: true,
  state: true,
  provider: true,
  requestedMicros: true,
  chargeMicros: true,
  chargeCurrency: true,
  checkoutUrl: true,
  createdAt: true,
} as const

/** Finds the code's bonus, unless this form was sent before: then the code may be used up by that very payment. */
async function beginPayment(
  actor: TopUpActor,
  input: StartTopUpInput & { charge: { micros: bigint; currency: string } },
  now: Date,
): Promise<Result<Row, TopUpRefusal>> {
  const { promotionCode, requestKey, amountMicros } = input
  if (!promotionCode) return takeRow(actor, { ...input, bonus: null }, now)
  const isRepeat = await db().payment.findUnique({
    where: { userId_requestKey: { userId: actor.id, requestKey } },
    select: { id: true },
  })
  if (isRepeat) return takeRow(actor, { ...input, bonus: null }, now)
  const bonus = await findBonus(actor, promotionCode, amountMicros)
  return bonus.ok ? takeRow(actor, { ...input, bonus: bonus.value }, now) : bonus
}

/** The payment of this request key, made when there is none. One customer's requests take turns, so that the limit holds. */
async function takeRow(
  actor: TopUpActor,
  input: StartTopUpInput & {
    charge: { micros: bigint; currency: string }
    bonus: { promotion: FoundPromotion; bonusMicros: bigint } | null
  },
  now: Date,
): Promise<Result<Row, TopUpRefusal>> {
  return inTransaction<Row, TopUpRefusal>(async (tx) => {
    await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${`top_up:${actor.id}`}, 0))`)
    const existing = await tx.payment.findUnique({
      where: { userId_requestKey: { userId: actor.id, requestKey: input.requestKey } },
      select: ROW,
    })
    if (existing) {
      const isSame = existing.provider === input.provider && existing.requestedMicros === input.amountMicros
      return isSame ? accepted(existing) : refused('request_key_reused')
    }
    const refusal = await overLimit(tx, actor.id, input.amountMicros, now)
    if (refusal) return refusal
    const payment = await tx.payment.create({
      data: {
        id: newId('pay'),
        userId: actor.id,
        provider: input.provider,
        state: 'created',
        requestedMicros: input.amountMicros,
        currency: env().SHOP_CURRENCY,
        chargeMicros: input.charge.micros,
        chargeCurrency: input.charge.currency,
        requestKey: input.requestKey,
        orderIntentId: input.orderIntentId,
        promotionId: input.bonus?.promotion.id ?? null,
        createdAt: now,
        nextCheckAt: new Date(now.getTime() + MINUTE_MS),
        events: {
          create: {
            kind: 'created',
            data: { requestedMicros: input.amountMicros.toString(), provider: input.provider },
          },
        },
      },
      select: ROW,
    })
    if (input.bonus) {
      const { promotion, bonusMicros } = input.bonus
      const subject = { kind: 'payment', id: payment.id } as const
      if (!(await reserveUse(tx, { promotion, userId: actor.id, subject, amountMicros: bonusMicros, now })))
        return refused('promotion_not_valid')
    }
    await recordAudit(
      tx,
      { kind: 'user', id: actor.id },
      {
        action: 'payments.started',
        subjectKind: 'payment',
        subjectId: payment.id,
        data: { requestedMicros: input.amountMicros.toString(), provider: input.provider },
      },
    )
    return accepted(payment)
  })
}

/** What speaks against one more payment of this customer, going by the limits as they hold now; undefined when nothing does. */
async function overLimit(tx: Tx, userId: string, amountMicros: bigint, now: Date) {
  const rules = await paymentRules.readFresh(tx)
  const open = await tx.payment.count({ where: { userId, state: { in: [...OPEN_STATES] } } })
  if (open >= rules.maxOpenPayments) return refused('too_many_open_payments', { max: rules.maxOpenPayments })
  if (rules.firstTopUpMaxMicros !== null) {
    const credited = await tx.payment.findFirst({ where: { userId, creditedAt: { not: null } }, select: { id: true } })
    const leftMicros = rules.firstTopUpMaxMicros - (await sumBroughtIn(tx, userId, now))
    if (!credited && amountMicros > leftMicros) return refused('first_top_up_too_large', leftOf(leftMicros))
  }
  if (rules.dailyMaxMicros !== null) {
    const leftMicros = rules.dailyMaxMicros - (await sumBroughtIn(tx, userId, new Date(now.getTime() - DAY_MS)))
    if (amountMicros > leftMicros) return refused('daily_limit_reached', leftOf(leftMicros))
  }
  return undefined
}

/**
 * What a customer has brought in since, or is about to: what was credited, however little was asked for, what came and waits for a person, and what open
 * payments ask for.
 */
async function sumBroughtIn(tx: Tx, userId: string, since: Date): Promise<bigint> {
  const [row] = await tx.$queryRaw<{ micros: bigint }[]>(Prisma.sql`
    SELECT coalesce(sum(CASE WHEN credited_at IS NOT NULL THEN credited_micros
      WHEN state = 'needs_review' THEN trunc(requested_micros::numeric * coalesce(received_micros, charge_micros) / charge_micros)
      ELSE requested_micros END), 0)::bigint AS micros
    FROM payments
    WHERE user_id = ${userId} AND (credited_at > ${since}::timestamptz OR state = ANY (${[...OPEN_STATES, 'needs_review']}::text[]))`)
  return row!.micros
}

function leftOf(micros: bigint): { leftMicros: string } {
  return { leftMicros: (micros > 0n ? micros : 0n).toString() }
}

async function openCheckout(
  actor: TopUpActor,
  provider: Provider,
  paymentId: string,
  now: Date,
): Promise<Result<StartedTopUp, TopUpRefusal>> {
  const payment = await db().payment.findUniqueOrThrow({ where: { id: paymentId }, select: ROW })
  if (payment.checkoutUrl) return accepted(view(payment))
  let checkout
  try {
    checkout = await provider.createCheckout({
      paymentId,
      amountMicros: payment.chargeMicros,
      currency: payment.chargeCurrency,
      returnUrl: new URL(paymentPath(paymentId), env().PUBLIC_URL).href,
      webhookUrl: new URL(`/api/webhooks/${provider.name}`, env().PUBLIC_URL).href,
      locale: actor.locale,
      expiresAt: checkoutEnd(payment.createdAt, now),
    })
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    log('payments').warn({ error, paymentId, provider: provider.name }, 'no checkout could be made')
    await db().paymentEvent.create({ data: { paymentId, kind: 'provider_unavailable' }, select: { id: true } })
    return refused('provider_unavailable', { paymentId })
  }
  const { providerPaymentId, checkoutUrl, expiresAt } = checkout
  // A callback may have been faster than this answer: the page is noted, and a state further on is kept. Only one of two processes
  // that asked at the same time writes; the other's invoice was shown to nobody.
  await db().$executeRaw(Prisma.sql`
    WITH opened AS (
      UPDATE payments SET provider_payment_id = ${providerPaymentId}, checkout_url = ${checkoutUrl}, expires_at = ${expiresAt}::timestamptz,
        state = CASE WHEN state = 'created' THEN 'awaiting' ELSE state END,
        next_check_at = CASE WHEN credited_at IS NULL THEN ${new Date(now.getTime() + MINUTE_MS)}::timestamptz END
      WHERE id = ${paymentId} AND checkout_url IS NULL
        AND (provider_payment_id IS NULL OR provider_payment_id = ${providerPaymentId})
      RETURNING id
    )
    INSERT INTO payment_events (payment_id, kind) SELECT id, 'awaiting' FROM opened`)
  const opened = await db().payment.findUniqueOrThrow({ where: { id: paymentId }, select: ROW })
  return opened.checkoutUrl ? accepted(view(opened)) : refused('provider_unavailable', { paymentId })
}

/**
 * When the page ends. Counted from the payment's own beginning, so that a call repeated after a time-out asks for exactly the same, which is
 * what makes vendors give the same page; from now when that leaves too little time to pay.
 */
function checkoutEnd(createdAt: Date, now: Date): Date {
  const end = createdAt.getTime() + CHECKOUT_LIFETIME_MS
  return new Date(end - now.getTime() >= CHECKOUT_LIFETIME_MS / 2 ? end : now.getTime() + CHECKOUT_LIFETIME_MS)
}

function view(payment: Row): StartedTopUp {
  const state = payment.state as PaymentState
  return {
    paymentId: payment.id,
    state,
    checkoutUrl: OPEN_STATES.includes(state) ? payment.checkoutUrl : null,
  }
}

/** The page of a payment, where the provider sends its payers back to. It shows what our rows say; it credits nothing. */
export function paymentPath(paymentId: string): string {
  return `/account/payments/${paymentId}`
}
