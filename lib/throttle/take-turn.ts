import { createHmac } from 'node:crypto'
import { RateLimiterPrisma, RateLimiterRes } from 'rate-limiter-flexible'
import { db } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, DAY_MS, HOUR_MS, MINUTE_MS, refused, type Refusal, type Result } from '@/lib/kit'

/**
 * How many turns a subject has in which time. Ten wrong codes are more than a person mistypes; sixty from one address leave room for an office behind it. At
 * these rates nobody meets a voucher (80 bits), and for the words that codes are made of there are a thousand tries a day.
 */
const THROTTLES = {
  promotion_code_by_customer: { turns: 10, perMs: 15 * MINUTE_MS },
  promotion_code_by_address: { turns: 60, perMs: HOUR_MS },
  voucher_by_customer: { turns: 10, perMs: 15 * MINUTE_MS },
  voucher_by_address: { turns: 60, perMs: HOUR_MS },
  // A confirming mail is asked for once; five more are somebody who looks for it.
  marketing_confirmation: { turns: 6, perMs: HOUR_MS },
  // A mail program presses once, and again when it got no answer.
  unsubscribe: { turns: 30, perMs: HOUR_MS },
} as const satisfies Record<string, { turns: number; perMs: number }>

export type ThrottleKind = keyof typeof THROTTLES
export type TooManyTries = Refusal<'too_many_tries'>

/** Who guesses: an account, and the network address the request came from where there is one. */
export type Guesser = { id: string; address?: string | null }

const limiters = new Map<ThrottleKind, RateLimiterPrisma>()

/** One limiter for each kind and process; what they count lies in PostgreSQL, so that all processes agree. */
function limiterOf(kind: ThrottleKind): RateLimiterPrisma {
  let limiter = limiters.get(kind)
  if (!limiter) {
    const { turns, perMs } = THROTTLES[kind]
    limiter = new RateLimiterPrisma({
      storeClient: db(),
      tableName: 'throttle',
      keyPrefix: kind,
      points: turns,
      duration: perMs / 1000,
      // One of them clears what ended for all: it deletes by time, whatever the kind.
      clearExpiredByTimeout: limiters.size === 0,
    })
    limiters.set(kind, limiter)
  }
  return limiter
}

/** Addresses and ids are not kept as they are: a row says only that somebody took turns. */
function keyOf(subject: string): string {
  return createHmac('sha256', env().AUTH_SECRET).update(`throttle ${subject}`).digest('hex').slice(0, 40)
}

/**
 * Takes one turn of this kind for a subject (an id, an address). Refuses `too_many_tries` {seconds} when none is left: so long until there are turns again. The
 * count is one row that the database adds to, so that of many at once exactly as many are let through as there are turns.
 */
export async function takeTurn(kind: ThrottleKind, subject: string): Promise<Result<null, TooManyTries>> {
  try {
    await limiterOf(kind).consume(keyOf(subject))
    return accepted(null)
  } catch (full) {
    if (!(full instanceof RateLimiterRes)) throw full
    const waitMs = Math.min(Math.max(full.msBeforeNext, 1000), DAY_MS)
    return refused('too_many_tries', { seconds: Math.ceil(waitMs / 1000) })
  }
}

/** Gives a turn back: a right answer was no guess. */
async function giveTurnBack(kind: ThrottleKind, subject: string): Promise<void> {
  await limiterOf(kind).reward(keyOf(subject))
}

/**
 * Lets somebody try a secret: the turns are taken before the look, so that a thousand tries at once are not a thousand looks, and given back when the answer
 * was right. Counts for the account and for the address. Refuses `too_many_tries` {seconds}, or as `look` does.
 */
export async function limitGuesses<Value, R extends Refusal>(
  what: 'promotion_code' | 'voucher',
  guesser: Guesser,
  look: () => Promise<Result<Value, R>>,
): Promise<Result<Value, R | TooManyTries>> {
  const counts: { kind: ThrottleKind; subject: string }[] = [{ kind: `${what}_by_customer`, subject: guesser.id }]
  if (guesser.address) counts.push({ kind: `${what}_by_address`, subject: guesser.address })
  const taken: typeof counts = []
  const giveBack = () => Promise.all(taken.map(({ kind, subject }) => giveTurnBack(kind, subject)))
  for (const count of counts) {
    const turn = await takeTurn(count.kind, count.subject)
    if (!turn.ok) {
      // Nothing was looked at, so nothing that was taken counts.
      await giveBack()
      return turn
    }
    taken.push(count)
  }
  const found = await look()
  if (found.ok) await giveBack()
  return found
}
