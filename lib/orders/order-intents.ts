import { findPlan } from '@/lib/catalog'
import { type Database, db, inTransaction, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { defineJob } from '@/lib/jobs'
import { accepted, DAY_MS, newId, refused, type Refusal, type Result } from '@/lib/kit'
import { getBalance } from '@/lib/ledger'
import { queueEmail } from '@/lib/notifications'
import { reserveUse } from '@/lib/promotions'
import { z } from 'zod'
import { type Buyer, findCodeFor, placeOrder, type PlacedOrder, type PlaceOrderRefusal } from './place-order'
import { INTENT_CHOICE } from './queries'
import type { PlaceOrderInput } from './schemas'

export const finishIntentsJob = defineJob({ name: 'orders.finish_intents', payload: z.object({ userId: z.string() }) })

/** Three days: longer than any checkout lives, including a slow chain, and short enough that a forgotten choice does not surprise anybody. */
const INTENT_LIFE_MS = 3 * DAY_MS
/** A choice that waits costs nothing, but a list without end helps nobody. */
const MAX_WAITING_INTENTS = 20

export const expireIntentsJob = defineJob({ name: 'orders.expire_intents', payload: z.object({}), maxAttempts: 1 })

export type KeepIntentRefusal = Refusal<
  | 'plan_not_found'
  | 'too_many_waiting'
  | 'period_unavailable'
  | 'price_changed'
  | 'promotion_not_valid'
  | 'promotion_used_up'
  | 'too_many_tries'
>

/**
 * Keeps an order that the balance does not cover, at the price that was shown; it is placed by itself when the money arrives. A code is kept with it: one use
 * is reserved until the choice is placed, taken back or expires. Returns what is missing now, a debt included (0 when the balance suffices by now).
 * Refuses `plan_not_found` and `too_many_waiting`, and about the code as placeOrder does.
 */
export async function keepOrderIntent(
  actor: Buyer,
  input: Omit<PlaceOrderInput, 'requestKey'>,
): Promise<Result<{ intentId: string; missingMicros: bigint }, KeepIntentRefusal>> {
  const found = await findPlan(input.planId, { fresh: true })
  if (!found) return refused('plan_not_found')
  const { balanceMicros, owedMicros } = await getBalance({ userId: actor.id })
  const neededMicros = input.totalMicros + owedMicros - balanceMicros
  const missingMicros = neededMicros > 0n ? neededMicros : 0n
  const code = input.promotionCode
    ? await findCodeFor(actor, { ...input, promotionCode: input.promotionCode }, found)
    : null
  if (code && !code.ok) return code
  const promotion = code?.value.promotion ?? null
  return inTransaction<{ intentId: string; missingMicros: bigint }, KeepIntentRefusal>(async (tx) => {
    const { totalMicros, planId, countryCode, periodDays, quantity } = input
    // The same choice clicked twice is one intent: otherwise both would be bought when the money comes.
    await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${`intents:${actor.id}`}, 0))::text`)
    const waiting = await tx.orderIntent.findMany({
      where: { userId: actor.id, state: 'waiting' },
      select: INTENT_CHOICE,
    })
    const same = waiting.find(
      (each) =>
        each.planId === planId &&
        each.countryCode === countryCode &&
        each.periodDays === periodDays &&
        each.quantity === quantity &&
        each.totalMicros === totalMicros &&
        each.promotionId === (promotion?.id ?? null),
    )
    const expiresAt = new Date(Date.now() + INTENT_LIFE_MS)
    if (same) {
      await tx.orderIntent.update({ where: { id: same.id }, data: { expiresAt }, select: { id: true } })
      return accepted({ intentId: same.id, missingMicros })
    }
    if (waiting.length >= MAX_WAITING_INTENTS) return refused('too_many_waiting')
    const intentId = newId('int')
    await tx.orderIntent.create({
      data: {
        id: intentId,
        userId: actor.id,
        planId,
        countryCode,
        periodDays,
        quantity,
        totalMicros,
        promotionId: promotion?.id ?? null,
        currency: env().SHOP_CURRENCY,
        expiresAt,
      },
      select: { id: true },
    })
    if (code) {
      const use = { promotion: code.value.promotion, userId: actor.id, amountMicros: code.value.discountMicros }
      const isReserved = await reserveUse(tx, { ...use, subject: { kind: 'intent', id: intentId }, now: new Date() })
      // Whoever comes here has agreed to the total with this code's discount.
      if (!isReserved) return refused('promotion_used_up')
    }
    return accepted({ intentId, missingMicros })
  })
}

/**
 * Places what waited for money, oldest first. The intent's id is the order's request key, so that running twice places once. What can no longer
 * be had as it was agreed (another price, sold out, withdrawn) is not bought: the customer keeps the money on the balance and is told.
 */
export async function finishIntents({ userId }: { userId: string }): Promise<void> {
  // Renewals that lacked money are tried again by the next run, not in some hours.
  await db().order.updateMany({ where: { userId, autoRenew: true, retryAt: { not: null } }, data: { retryAt: null } })
  const waiting = await db().orderIntent.findMany({
    where: { userId, state: 'waiting' },
    orderBy: { createdAt: 'asc' },
    select: {
      ...INTENT_CHOICE,
      expiresAt: true,
    },
  })
  for (const intent of waiting) {
    if (intent.expiresAt <= new Date()) {
      await closeIntent(intent.id, { state: 'expired' })
      continue
    }
    const placed = await placeIntent({ id: userId }, intent)
    // A debt is paid like a price, by the next money that comes.
    if (!placed.ok && !['insufficient_balance', 'in_debt'].includes(placed.refusal.code))
      await refuseIntent(userId, intent, placed.refusal.code)
  }
}

/**
 * Places one choice now that the balance may cover it. Someone else's, or one that was dropped or refused, is `not_found`; one that was placed already is
 * that order. Otherwise refuses as placeOrder does, and the choice goes on waiting.
 */
export async function finishOrderIntent(
  actor: { id: string },
  intentId: string,
): Promise<Result<PlacedOrder, PlaceOrderRefusal | Refusal<'not_found'>>> {
  const intent = await db().orderIntent.findFirst({
    where: { id: intentId, userId: actor.id, state: { in: ['waiting', 'placed'] } },
    select: {
      ...INTENT_CHOICE,
      orderId: true,
    },
  })
  if (!intent) return refused('not_found')
  if (intent.orderId) return accepted({ orderId: intent.orderId, isRepeat: true })
  return placeIntent(actor, intent)
}

/** Ends choices whose time is over, so that a code kept with one is free for others. Returns how many. */
export async function expireIntents(now = new Date(), database: Database = db()): Promise<number> {
  const { count } = await database.orderIntent.updateMany({
    where: { state: 'waiting', expiresAt: { lte: now } },
    data: { state: 'expired' },
  })
  return count
}

type Intent = Omit<PlaceOrderInput, 'requestKey' | 'promotionCode'> & { id: string; promotionId: string | null }

/** The intent's id is the order's request key, so that the worker and the customer, at once, place one order. */
async function placeIntent(actor: { id: string }, intent: Intent): Promise<Result<PlacedOrder, PlaceOrderRefusal>> {
  const placed = await placeOrder(actor, { ...intent, requestKey: intent.id, reservedPromotionId: intent.promotionId })
  if (placed.ok) await closeIntent(intent.id, { state: 'placed', orderId: placed.value.orderId })
  return placed
}

/** Takes back a choice that still waits for money. Someone else's, or one that no longer waits, is `not_found`. */
export async function dropOrderIntent(
  actor: { id: string },
  intentId: string,
): Promise<Result<null, Refusal<'not_found'>>> {
  const dropped = await db().orderIntent.updateMany({
    where: { id: intentId, userId: actor.id, state: 'waiting' },
    data: { state: 'expired' },
  })
  return dropped.count === 1 ? accepted(null) : refused('not_found')
}

async function closeIntent(id: string, data: { state: 'placed' | 'expired'; orderId?: string }): Promise<void> {
  await db().orderIntent.updateMany({ where: { id, state: 'waiting' }, data })
}

async function refuseIntent(userId: string, intent: { id: string; planId: string }, reason: string): Promise<void> {
  const found = await findPlan(intent.planId)
  await db().$transaction(async (tx) => {
    const closed = await tx.orderIntent.updateMany({
      where: { id: intent.id, state: 'waiting' },
      data: { state: 'refused', refusal: reason },
    })
    if (closed.count === 0) return
    const user = await tx.user.findUnique({ where: { id: userId }, select: { email: true, locale: true } })
    if (!user) return
    await queueEmail(tx, {
      key: `intent_refused:${intent.id}`,
      userId,
      to: user.email,
      locale: user.locale,
      template: 'order_intent_refused',
      props: { planSlug: found?.plan.slug ?? '', reason },
    })
  })
}
