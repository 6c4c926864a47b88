import { db, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { type Guesser, limitGuesses } from '@/lib/throttle'
import { bonusOf, discountOf, type PricedChoice, type PromotionTerms } from './discount'
import type { PromotionKind } from './schemas'

export type FoundPromotion = { id: string; code: string; revision: number } & PromotionTerms
export type CodeRefusal = Refusal<'promotion_not_valid' | 'too_many_tries'>

const TERMS = {
  id: true,
  code: true,
  revision: true,
  kind: true,
  percent: true,
  amountMicros: true,
  gigabytes: true,
  minimumMicros: true,
  capMicros: true,
  productIds: true,
  countries: true,
} as const

/**
 * What a code takes off this choice for this person now. One answer, `promotion_not_valid`, for whatever a code may lack: it never was, is over, is not for
 * this, not for them, used up. Tries are counted for person and address (`too_many_tries` {seconds}); a right one does not count.
 * Reserves nothing: between this and the click somebody else may take the last use.
 */
export async function findDiscount(
  guesser: Guesser,
  code: string,
  choice: PricedChoice,
): Promise<Result<{ promotion: FoundPromotion; discountMicros: bigint }, CodeRefusal>> {
  return limitGuesses('promotion_code', guesser, async () => {
    const promotion = await findByCode(code)
    const discountMicros = promotion && discountOf(promotion, choice)
    if (!promotion || discountMicros === null) return refused('promotion_not_valid')
    if ((await judge(promotion.id, guesser.id, 'order')) !== 'open') return refused('promotion_not_valid')
    return accepted({ promotion, discountMicros })
  })
}

/**
 * The same for a click that carries the code with a total. Whether a use is left is the click's own question, under lock: whoever sends the total with
 * this code's discount has been shown it, and may be told that the code was used up since.
 */
export async function findAgreedDiscount(
  guesser: Guesser,
  code: string,
  choice: PricedChoice,
  agreedTotalMicros: bigint,
): Promise<Result<{ promotion: FoundPromotion; discountMicros: bigint }, CodeRefusal>> {
  return limitGuesses('promotion_code', guesser, async () => {
    const promotion = await findByCode(code)
    const discountMicros = promotion && discountOf(promotion, choice)
    if (!promotion || discountMicros === null) return refused('promotion_not_valid')
    const isAgreed = choice.totalMicros - discountMicros === agreedTotalMicros
    const judged = await judge(promotion.id, guesser.id, 'order')
    if (judged === 'not_valid' || (judged === 'used_up' && !isAgreed)) return refused('promotion_not_valid')
    return accepted({ promotion, discountMicros })
  })
}

/** The code a choice was kept with. Its terms have not changed since: they stay from the first use on. */
export async function findReservedDiscount(
  promotionId: string,
  choice: PricedChoice,
): Promise<Result<{ promotion: FoundPromotion; discountMicros: bigint }, Refusal<'promotion_not_valid'>>> {
  const row = await db().promotion.findUnique({ where: { id: promotionId }, select: TERMS })
  const promotion = row && { ...row, kind: row.kind as PromotionKind }
  // What it is for was asked when it was reserved.
  const discountMicros = promotion && discountOf({ ...promotion, productIds: [], countries: [] }, choice)
  return promotion && discountMicros !== null ? accepted({ promotion, discountMicros }) : refused('promotion_not_valid')
}

/** What a code will add to a top-up of this amount for this person. Answers and counts tries as findDiscount does. */
export async function findBonus(
  guesser: Guesser,
  code: string,
  amountMicros: bigint,
): Promise<Result<{ promotion: FoundPromotion; bonusMicros: bigint }, CodeRefusal>> {
  return limitGuesses('promotion_code', guesser, async () => {
    const promotion = await findByCode(code)
    const bonusMicros = promotion && bonusOf(promotion, amountMicros)
    if (!promotion || bonusMicros === null) return refused('promotion_not_valid')
    if ((await judge(promotion.id, guesser.id, 'payment')) !== 'open') return refused('promotion_not_valid')
    return accepted({ promotion, bonusMicros })
  })
}

/**
 * Keeps one use in the caller's transaction, for a choice that waits or a top-up that begins. Locks the promotion's row; lock no balance after it. False when
 * there is none any more.
 */
export async function reserveUse(
  tx: Tx,
  use: {
    promotion: FoundPromotion
    userId: string
    subject: { kind: 'intent' | 'payment'; id: string }
    amountMicros: bigint
    now: Date
  },
): Promise<boolean> {
  const { promotion, userId, subject, amountMicros, now } = use
  const [row] = await tx.$queryRaw<{ outcome: string }[]>(Prisma.sql`
    SELECT reserve_promotion(${promotion.id}, ${promotion.revision}::int, ${userId}, ${subject.kind}, ${subject.id}, ${amountMicros}::bigint,
      ${now}::timestamptz) AS outcome`)
  return row?.outcome === 'reserved'
}

async function findByCode(code: string): Promise<FoundPromotion | null> {
  const row = await db().promotion.findFirst({ where: { code, currency: env().SHOP_CURRENCY }, select: TERMS })
  return row && { ...row, kind: row.kind as PromotionKind }
}

async function judge(promotionId: string, userId: string, subject: 'order' | 'payment'): Promise<string | undefined> {
  const [row] = await db().$queryRaw<{ judged: string }[]>(Prisma.sql`
    SELECT judge_promotion(p, ${userId}, ${subject}, clock_timestamp()) AS judged FROM promotions p WHERE p.id = ${promotionId}`)
  return row?.judged
}
