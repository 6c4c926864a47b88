import { recordAudit, SYSTEM } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, HOUR_MS, invariant, isId, newId, OperationalError } from '@/lib/kit'
import { noteMarks } from '@/lib/identity'
import { bookReturns } from './book-returns'
import {
  creditFor,
  decideSettlement,
  type ReviewReason,
  type SettledPayment,
  type SettlementRules,
} from './decide-settlement'
import type { SettlePayload } from './jobs'
import type { Provider, Truth } from './providers/provider'
import { findProvider } from './providers/registry'
import { queuePaymentMail } from './queue-payment-mail'
import { paymentRules } from './rules'
import { CREDITED_STATES, type PaymentState } from './states'

export type SettleOutcome =
  | 'credited'
  | 'already_credited'
  | 'needs_review'
  | 'second_invoice'
  | 'redeposit'
  | 'disputed'
  | 'charged_back'
  | 'refunded'
  | 'waiting'
  | 'expired'
  | 'cancelled'
  | 'declined'
  | 'unknown_payment'
  | 'unknown_to_provider'

export type Settled = { outcome: SettleOutcome; paymentId: string | null }

/**
 * Brings a payment to where the provider says it is now. Asks the provider outside of any transaction, then credits, moves or sends it to a
 * person. May run any number of times, at once, and in any order: one payment is credited once. Stamps the inbox message that asked.
 * Throws OperationalError when the provider cannot be asked, so that the job comes again.
 */
export async function settlePayment(
  payload: SettlePayload,
  options: { provider?: Provider; now?: Date } = {},
): Promise<Settled> {
  const provider = options.provider ?? (await findProvider(payload.provider))
  if (!provider) throw new OperationalError('payments', `provider ${payload.provider} has no settings`)
  const truths = await askForTruths(provider, payload)
  if (truths.length === 0) {
    const outcome = payload.providerPaymentId ? 'unknown_to_provider' : 'unknown_payment'
    await stampMessage(db(), payload.messageId, { outcome, paymentId: null })
    return { outcome, paymentId: null }
  }
  const settled: Settled[] = []
  for (const truth of truths)
    settled.push(await settleWithTruth(provider, truth, { messageId: payload.messageId, now: options.now }))
  return settled.find((each) => each.outcome === 'credited') ?? settled[0]!
}

/** One truth for nearly every provider; several where a page brings several payments, none for what the provider does not know. */
async function askForTruths(provider: Provider, payload: SettlePayload): Promise<Truth[]> {
  const providerPaymentId =
    payload.providerPaymentId ?? (await knownProviderPaymentId(provider.name, payload.paymentId))
  if (providerPaymentId) return provider.fetchPayments([{ providerPaymentId, paymentId: payload.paymentId }])
  const found = payload.paymentId && provider.findByPaymentId ? await provider.findByPaymentId(payload.paymentId) : null
  return found ? [found] : []
}

async function knownProviderPaymentId(provider: string, paymentId: string | null): Promise<string | null> {
  if (!paymentId) return null
  const payment = await db().payment.findFirst({
    where: { id: paymentId, provider },
    select: { providerPaymentId: true },
  })
  return payment?.providerPaymentId ?? null
}

/**
 * The part after the provider has spoken, shared by the webhook's job and by reconcile. The good path, enough money for a payment we
 * know, is one round trip; everything else is decided again under the payment's lock, and so is what came after a credit: more money,
 * refunds, disputes.
 */
export async function settleWithTruth(
  provider: Pick<Provider, 'name' | 'terms'>,
  truth: Truth,
  context: { messageId: string | null; now?: Date },
): Promise<Settled> {
  const rules = await rulesFor(provider)
  if (truth.checkoutId) await bindPayment(provider.name, truth.checkoutId, truth.providerPaymentId)
  const hasReturns = (truth.refunds ?? []).length > 0 || (truth.disputes ?? []).length > 0
  const isPlain = truth.state === 'paid' && !hasReturns && (rules.acceptsTest || !truth.isTest)
  const credited = isPlain ? await creditAtOnce(provider.name, truth, rules, context) : null
  const settled = credited?.isAll ? credited.settled : await settleUnderLock(provider.name, truth, rules, context)
  if (settled.outcome === 'credited' && truth.payerReference)
    await markPayer(provider.name, settled, truth.payerReference)
  return settled
}

/** Remembers by whom a customer's money came, as a digest. After the credit: nobody's money waits for it. */
async function markPayer(provider: string, { paymentId }: Settled, reference: string): Promise<void> {
  const payment = await db().payment.findUnique({ where: { id: paymentId! }, select: { userId: true } })
  if (payment) await noteMarks(payment.userId, { payerReference: `${provider}:${reference.trim().toLowerCase()}` })
}

/** What holds for payments of this provider now. */
async function rulesFor(provider: Pick<Provider, 'terms'>): Promise<SettlementRules> {
  const { underpaid, late, redeposit } = await paymentRules.read()
  return {
    acceptsTest: env().SLUICE_MODE !== 'production',
    underpaid,
    late,
    redeposit,
    toleranceBasisPoints: provider.terms?.toleranceBasisPoints ?? 0,
  }
}

/**
 * Puts the id of the first payment that brought money in the place of its page's id. Of two at once one wins, because the row has only one id;
 * the other finds the payment by our id, under an id that is not its own, and stands as a second invoice.
 */
async function bindPayment(provider: string, checkoutId: string, providerPaymentId: string): Promise<void> {
  await db().payment.updateMany({
    where: { provider, providerPaymentId: checkoutId, creditedAt: null },
    data: { providerPaymentId },
  })
}

/**
 * Credits in one statement when everything fits: provider, the provider's id, our id, currency, amount. Locks the payment row, so that of many
 * at once one credits and the others hear `already_credited`. Null when anything does not fit; nothing was written then. `isAll` is false
 * when more has come since the credit.
 */
async function creditAtOnce(
  provider: string,
  truth: Truth,
  rules: SettlementRules,
  context: { messageId: string | null; now?: Date },
): Promise<{ settled: Settled; isAll: boolean } | null> {
  const [row] = await db().$queryRaw<{ id: string; outcome: string; isAll: boolean }[]>(Prisma.sql`
    WITH payment AS MATERIALIZED (
      SELECT id, trunc(requested_micros::numeric * ${truth.receivedMicros}::bigint / charge_micros)::bigint AS credit,
        coalesce(received_micros, 0) AS received_before
      FROM payments
      WHERE provider = ${provider} AND provider_payment_id = ${truth.providerPaymentId} AND id = ${truth.paymentId}
        AND charge_currency = ${truth.currency} AND charge_micros <= ${truth.receivedMicros}::bigint AND state <> 'declined'
        AND (review_reason IS NULL OR review_reason NOT IN ('paid_after_decline', 'second_invoice'))
        AND (${rules.late === 'credit'}::boolean OR credited_at IS NOT NULL
          OR (state NOT IN ('expired', 'cancelled') AND review_reason IS DISTINCT FROM 'paid_late'))
      FOR NO KEY UPDATE
    ), credit AS MATERIALIZED (
      SELECT payment.id, payment.received_before, credited.outcome
      FROM payment, credit_payment(payment.id, ${truth.providerPaymentId}::text, ${truth.receivedMicros}::bigint,
        payment.credit, ${context.now ?? new Date()}::timestamptz) AS credited
    ), stamped AS (
      UPDATE webhook_messages SET processed_at = now(), outcome = credit.outcome, payment_id = credit.id
      FROM credit WHERE webhook_messages.id = ${context.messageId}
    )
    SELECT id, outcome, outcome = 'credited' OR received_before >= ${truth.receivedMicros}::bigint AS "isAll" FROM credit`)
  if (!row) return null
  invariant(row.outcome === 'credited' || row.outcome === 'already_credited', `a locked payment was ${row.outcome}`)
  return { settled: { outcome: row.outcome, paymentId: row.id }, isAll: row.isAll }
}

type LockedPayment = SettledPayment & { userId: string; provider: string; creditedMicros: bigint | null }

async function settleUnderLock(
  provider: string,
  truth: Truth,
  rules: SettlementRules,
  context: { messageId: string | null; now?: Date },
): Promise<Settled> {
  const result = await inTransaction(async (tx) => {
    const payment = await lockPayment(tx, provider, truth)
    const settled: Settled = payment
      ? { outcome: await apply(tx, payment, truth, rules, context.now ?? new Date()), paymentId: payment.id }
      : { outcome: 'unknown_payment', paymentId: null }
    await stampMessage(tx, context.messageId, settled)
    return accepted(settled)
  })
  invariant(result.ok, 'settling refuses nothing')
  return result.value
}

/**
 * The payment this truth is about: by the provider's id, or, while our row has not learned that id yet (the callback overtook the answer of the
 * create call), by our own id. Always of this provider: what provider B says of a payment of provider A counts for nothing.
 */
async function lockPayment(tx: Tx, provider: string, truth: Truth): Promise<LockedPayment | null> {
  const columns = Prisma.sql`id, user_id AS "userId", provider, state, requested_micros AS "requestedMicros", received_micros AS "receivedMicros",
    charge_micros AS "chargeMicros", charge_currency AS "chargeCurrency", credited_micros AS "creditedMicros", currency, provider_payment_id AS "providerPaymentId", review_reason AS "reviewReason"`
  const [known] = await tx.$queryRaw<LockedPayment[]>(Prisma.sql`
    SELECT ${columns} FROM payments
    WHERE provider = ${provider} AND provider_payment_id = ${truth.providerPaymentId} FOR NO KEY UPDATE`)
  if (known || !truth.paymentId || !isId('pay', truth.paymentId)) return known ?? null
  const [echoed] = await tx.$queryRaw<LockedPayment[]>(Prisma.sql`
    SELECT ${columns} FROM payments WHERE provider = ${provider} AND id = ${truth.paymentId} FOR NO KEY UPDATE`)
  return echoed ?? null
}

async function apply(
  tx: Tx,
  payment: LockedPayment,
  truth: Truth,
  rules: SettlementRules,
  now: Date,
): Promise<SettleOutcome> {
  const isAllGone = isGone(payment, truth)
  if (isAllGone && payment.state === 'needs_review') return noteGone(tx, payment)
  const settlement = decideSettlement(payment, isAllGone ? withoutMoney(truth) : truth, rules)
  // Once the ids are matched by our own id, the provider's is learned, so that reconcile can ask in batches.
  const learned = payment.providerPaymentId ? {} : { providerPaymentId: truth.providerPaymentId }
  switch (settlement.kind) {
    case 'credit': {
      const [credited] = await tx.$queryRaw<{ outcome: string }[]>(Prisma.sql`
        SELECT outcome FROM credit_payment(${payment.id}, ${truth.providerPaymentId}, ${truth.receivedMicros}::bigint,
          ${settlement.creditMicros}::bigint, ${now}::timestamptz)`)
      invariant(credited?.outcome === 'credited', `a locked, uncredited payment was ${credited?.outcome}`)
      const { creditMicros } = settlement
      const state = await bookReturns(tx, { ...payment, creditedMicros: creditMicros, state: 'credited' }, truth, now)
      return state === 'credited' ? 'credited' : outcomeOf(state)
    }
    case 'redeposit':
      await keepRedeposit(tx, payment, settlement, truth, now)
      await bookReturns(tx, payment, truth, now)
      return 'redeposit'
    case 'review':
      await sendToReview(tx, payment, { ...settlement, truth, learned })
      return 'needs_review'
    case 'second_invoice':
      await keepSecondInvoice(tx, payment, truth, rules.acceptsTest)
      return 'second_invoice'
    case 'move':
      await tx.payment.update({
        where: { id: payment.id },
        data: { ...learned, state: settlement.to, receivedMicros: settlement.receivedMicros },
        select: { id: true },
      })
      // Money on its way is asked about also where the looks had ended: the callback that says what came of it may be lost.
      if (settlement.to === 'confirming' || settlement.to === 'underpaid')
        await tx.payment.updateMany({
          where: { id: payment.id, nextCheckAt: null },
          data: { nextCheckAt: new Date(now.getTime() + HOUR_MS) },
        })
      await tx.paymentEvent.create({
        data: {
          paymentId: payment.id,
          kind: settlement.to,
          data: { receivedMicros: settlement.receivedMicros.toString() },
        },
        select: { id: true },
      })
      return outcomeOf(settlement.to)
    case 'nothing':
      if (!payment.providerPaymentId)
        await tx.payment.update({ where: { id: payment.id }, data: learned, select: { id: true } })
      return outcomeOf(
        CREDITED_STATES.includes(payment.state) ? await bookReturns(tx, payment, truth, now) : payment.state,
      )
  }
}

/** Whether all that came of an uncredited payment has gone back already: then nothing is there to credit. */
function isGone(payment: LockedPayment, truth: Truth): boolean {
  const returned = (truth.refunds ?? [])
    .filter((refund) => refund.state !== 'failed')
    .reduce((sum, refund) => sum + refund.amountMicros, 0n)
  return payment.creditedMicros === null && returned > 0n && returned >= truth.receivedMicros
}

/** What waited for a person went back to its payer: there is nothing to credit any more. Should it come again, the payment waits again. */
async function noteGone(tx: Tx, payment: LockedPayment): Promise<SettleOutcome> {
  const { id, receivedMicros } = payment
  if (receivedMicros === 0n) return 'needs_review'
  await tx.payment.update({ where: { id }, data: { receivedMicros: 0n }, select: { id: true } })
  // What could not be counted when it came cannot be counted now.
  if (receivedMicros === null) return 'needs_review'
  const amountMicros = creditFor(payment, receivedMicros).toString()
  await tx.paymentEvent.create({
    data: { paymentId: id, kind: 'refunded', data: { amountMicros } },
    select: { id: true },
  })
  return 'needs_review'
}

function withoutMoney(truth: Truth): Truth {
  return { ...truth, state: 'cancelled', receivedMicros: 0n }
}

function outcomeOf(state: PaymentState): SettleOutcome {
  switch (state) {
    case 'credited':
      return 'already_credited'
    case 'disputed':
    case 'charged_back':
    case 'refunded':
    case 'needs_review':
    case 'expired':
    case 'cancelled':
    case 'declined':
      return state
    case 'created':
    case 'awaiting':
    case 'confirming':
    case 'underpaid':
      return 'waiting'
  }
}

/** Money came that may not be credited by itself: a person decides, and the customer hears so, once. */
async function sendToReview(
  tx: Tx,
  payment: LockedPayment,
  review: {
    reason: ReviewReason
    receivedMicros: bigint | null
    truth: Truth
    learned: { providerPaymentId?: string }
  },
): Promise<void> {
  await tx.payment.update({
    where: { id: payment.id },
    data: {
      ...review.learned,
      state: 'needs_review',
      reviewReason: review.reason,
      receivedMicros: review.receivedMicros,
    },
    select: { id: true },
  })
  const data = {
    reason: review.reason,
    receivedMicros: review.truth.receivedMicros.toString(),
    currency: review.truth.currency,
  }
  await tx.paymentEvent.create({ data: { paymentId: payment.id, kind: 'needs_review', data }, select: { id: true } })
  await recordAudit(tx, SYSTEM, {
    action: 'payments.needs_review',
    subjectKind: 'payment',
    subjectId: payment.id,
    data,
  })
  await queuePaymentMail(tx, { key: `review:${payment.id}`, template: 'top_up_needs_review' }, payment)
}

/**
 * Two invoices carry one payment's id (a create call timed out and was made again) and the other one was paid. Its money becomes a payment
 * of its own that waits for a person: crediting it under the first one's key would lose it if both were paid.
 */
async function keepSecondInvoice(tx: Tx, payment: LockedPayment, truth: Truth, acceptsTest: boolean): Promise<void> {
  const id = newId('pay')
  const isCountable = truth.currency === payment.chargeCurrency && (acceptsTest || !truth.isTest)
  const isAsked = truth.requestedMicros > 0n && truth.currency === payment.chargeCurrency
  const chargeMicros = isAsked ? truth.requestedMicros : payment.chargeMicros
  const requestedMicros = isAsked ? atLeastOne(creditFor(payment, chargeMicros)) : payment.requestedMicros
  const added = await tx.payment.createMany({
    data: [
      {
        id,
        userId: payment.userId,
        provider: payment.provider,
        state: 'needs_review',
        requestedMicros,
        currency: payment.currency,
        chargeMicros,
        chargeCurrency: payment.chargeCurrency,
        receivedMicros: isCountable ? truth.receivedMicros : null,
        providerPaymentId: truth.providerPaymentId,
        reviewReason: 'second_invoice',
        requestKey: `second:${truth.providerPaymentId}`,
      },
    ],
    skipDuplicates: true,
  })
  if (added.count === 0) return
  await tx.paymentEvent.createMany({
    data: [
      { paymentId: payment.id, kind: 'second_invoice', data: { paymentId: id } },
      {
        paymentId: id,
        kind: 'needs_review',
        data: {
          reason: 'second_invoice',
          receivedMicros: truth.receivedMicros.toString(),
          currency: truth.currency,
          paymentId: payment.id,
        },
      },
    ],
  })
  await recordAudit(tx, SYSTEM, {
    action: 'payments.needs_review',
    subjectKind: 'payment',
    subjectId: id,
    data: { reason: 'second_invoice', paymentId: payment.id },
  })
  await queuePaymentMail(
    tx,
    { key: `review:${id}`, template: 'top_up_needs_review' },
    { ...payment, id, requestedMicros },
  )
}

/**
 * More came to an invoice that is past its credit. The new part becomes a payment of its own, credited at once or left to a person by the shop's
 * rule, and the first payment remembers the new sum, so that the same word told again brings nothing.
 */
async function keepRedeposit(
  tx: Tx,
  payment: LockedPayment,
  redeposit: { receivedMicros: bigint; extraMicros: bigint; isCredited: boolean },
  truth: Truth,
  now: Date,
): Promise<void> {
  const id = newId('pay')
  const { extraMicros, receivedMicros } = redeposit
  const requestedMicros = atLeastOne(creditFor(payment, extraMicros))
  await tx.payment.update({ where: { id: payment.id }, data: { receivedMicros }, select: { id: true } })
  await tx.payment.create({
    data: {
      id,
      userId: payment.userId,
      provider: payment.provider,
      state: redeposit.isCredited ? 'awaiting' : 'created',
      requestedMicros,
      currency: payment.currency,
      chargeMicros: payment.chargeCurrency === payment.currency ? requestedMicros : extraMicros,
      chargeCurrency: payment.chargeCurrency,
      requestKey: `redeposit:${payment.id}:${receivedMicros}`,
      createdAt: now,
    },
    select: { id: true },
  })
  await tx.paymentEvent.createMany({
    data: [
      { paymentId: payment.id, kind: 'redeposit', data: { paymentId: id, receivedMicros: extraMicros.toString() } },
      {
        paymentId: id,
        kind: 'created',
        data: { requestedMicros: requestedMicros.toString(), provider: payment.provider, redepositOf: payment.id },
      },
    ],
  })
  if (redeposit.isCredited) {
    await tx.$queryRaw(Prisma.sql`
      SELECT outcome FROM credit_payment(${id}, NULL::text, ${extraMicros}::bigint, ${requestedMicros}::bigint, ${now}::timestamptz)`)
    return
  }
  await sendToReview(
    tx,
    { ...payment, id, state: 'created', requestedMicros },
    {
      reason: 'redeposit',
      receivedMicros: extraMicros,
      truth: { ...truth, receivedMicros: extraMicros },
      learned: {},
    },
  )
}

function atLeastOne(micros: bigint): bigint {
  return micros > 0n ? micros : 1n
}

/** Writes on the inbox message what came of it. Without a message nothing happens. */
async function stampMessage(tx: Tx, messageId: string | null, settled: Settled): Promise<void> {
  if (!messageId) return
  await tx.webhookMessage.updateMany({
    where: { id: messageId },
    data: {
      processedAt: new Date(),
      outcome: settled.outcome,
      ...(settled.paymentId ? { paymentId: settled.paymentId } : {}),
    },
  })
}
