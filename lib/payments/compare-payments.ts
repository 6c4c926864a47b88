import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, DAY_MS, invariant, newId, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { type Difference, IN_FLIGHT_MS, judgeDifference, type OurSide, type TheirSide } from './judge-difference'
import type { PaymentRef, Provider } from './providers/provider'
import { usableProviders } from './providers/registry'

/** How far back our credits are looked at: a night or two without a run leave no hole. */
const SPAN_MS = 3 * DAY_MS
/** Lists go by when a payment was begun; so much earlier may one be begun that was paid in the span. What was begun before that is asked about by itself. */
const LEAD_MS = 4 * DAY_MS

export type Comparison = {
  provider: string
  compared: number
  /** Open differences after it. */
  differences: number
  /** Whether the provider could not be asked; nothing was changed then. */
  isUnavailable: boolean
}

/**
 * Holds our books against what each provider says was paid, and keeps what differs: money that only they have, credits that only we have, other
 * amounts. Looks at three days and leaves the last hour to reconcile. A difference found before that is gone ends by itself. A provider
 * without a list that can be trusted is asked about every payment of ours instead, which cannot find money that we know nothing of. May run any
 * number of times, and at once. Moves no money; that is what the actions do.
 */
export async function comparePayments(
  options: { providers?: readonly Provider[]; from?: Date; to?: Date; now?: Date } = {},
): Promise<Comparison[]> {
  const now = options.now ?? new Date()
  const to = options.to ?? new Date(now.getTime() - IN_FLIGHT_MS)
  const span = { from: options.from ?? new Date(to.getTime() - SPAN_MS), to }
  const comparisons: Comparison[] = []
  for (const provider of options.providers ?? (await usableProviders()))
    comparisons.push(await compareWith(provider, span, now))
  return comparisons
}

type Span = { from: Date; to: Date }

async function compareWith(provider: Provider, span: Span, now: Date): Promise<Comparison> {
  const startedAt = await databaseTime()
  const run = {
    id: newId('cmp'),
    provider: provider.name,
    method: provider.listPaid ? 'list' : 'asked',
    fromAt: span.from,
    toAt: span.to,
    startedAt,
    currency: provider.terms?.charge?.currency ?? env().SHOP_CURRENCY,
  }
  let sides: Side[]
  try {
    sides = await readBothSides(provider, span)
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    log('payments').warn({ error, provider: provider.name }, 'the comparison could not ask')
    const differences = await countOpen(db(), provider.name)
    await db().paymentComparison.create({ data: { ...run, differences, failure: error.message }, select: { id: true } })
    return { provider: provider.name, compared: 0, differences, isUnavailable: true }
  }
  const found = sides.flatMap(({ theirs, ours }) => judgeDifference(theirs, ours, now) ?? [])
  const sums = sumSides(sides, run.currency)
  const result = await inTransaction(async (tx) => {
    await lockComparisons(tx, provider.name)
    const fresh = await keepDifferences(tx, provider.name, found)
    await endGone(tx, provider.name, sides, startedAt)
    const differences = await countOpen(tx, provider.name)
    await tx.paymentComparison.create({
      data: { ...run, ...sums, compared: sides.length, differences },
      select: { id: true },
    })
    return accepted({ fresh, differences })
  })
  invariant(result.ok, 'comparing refuses nothing')
  const { fresh, differences } = result.value
  if (differences > 0) log('payments').warn({ provider: provider.name, fresh, differences }, 'books differ')
  return { provider: provider.name, compared: sides.length, differences, isUnavailable: false }
}

/** Rows are stamped by the database, so a run's beginning is told by its clock, too. */
async function databaseTime(): Promise<Date> {
  const [row] = await db().$queryRaw<{ at: Date }[]>(Prisma.sql`SELECT clock_timestamp() AS at`)
  return row!.at
}

/** Comparisons of one provider write one after the other: two at once would each end what the other has just found. */
export async function lockComparisons(tx: Tx, provider: string): Promise<void> {
  await tx.$executeRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended(${`payments.compare:${provider}`}, 0))`)
}

/** The two sides of one payment. `id` is the provider's. */
type Side = { id: string; theirs: TheirSide | null; ours: OurSide | null }

/** Every payment that either side speaks of, each once. */
async function readBothSides(provider: Provider, span: Span): Promise<Side[]> {
  const listFrom = new Date(span.from.getTime() - LEAD_MS)
  const listed: TheirSide[] = provider.listPaid ? await provider.listPaid({ from: listFrom, to: span.to }) : []
  const open = await db().paymentDifference.findMany({
    where: { provider: provider.name, state: 'open' },
    select: { providerPaymentId: true, paymentId: true },
  })
  const credited = await db().$queryRaw<{ providerPaymentId: string; paymentId: string }[]>(Prisma.sql`
    SELECT provider_payment_id AS "providerPaymentId", id AS "paymentId" FROM payments
    WHERE provider = ${provider.name} AND provider_payment_id IS NOT NULL
      AND ((credited_at >= ${span.from}::timestamptz AND credited_at < ${span.to}::timestamptz)
        OR (${!provider.listPaid}::boolean AND created_at >= ${listFrom}::timestamptz AND created_at < ${span.to}::timestamptz))`)
  const isListed = new Set(listed.map((each) => each.providerPaymentId))
  const unlisted = new Map<string, PaymentRef>()
  for (const each of [...open, ...credited])
    if (!isListed.has(each.providerPaymentId)) unlisted.set(each.providerPaymentId, each)
  const asked = await askTheirs(provider, [...unlisted.values()])
  return pairSides(provider.name, [...listed, ...asked], [...unlisted.keys()])
}

/** What the provider says when it is asked about payments by their ids. Money counts, whatever the vendor calls the state of its page. */
export async function askTheirs(provider: Provider, refs: readonly PaymentRef[]): Promise<TheirSide[]> {
  if (refs.length === 0) return []
  const truths = await provider.fetchPayments(refs)
  return truths.filter((truth) => truth.receivedMicros > 0n && !['confirming', 'rejected'].includes(truth.state))
}

/** Puts our payments beside theirs. `others` are ids of the provider that its words do not cover. */
export async function pairSides(
  provider: string,
  theirs: readonly TheirSide[],
  others: readonly string[],
): Promise<Side[]> {
  const ids = [
    ...new Set([...theirs.flatMap((each) => [each.providerPaymentId, each.checkoutId ?? []].flat()), ...others]),
  ]
  const echoed = [...new Set(theirs.flatMap((each) => each.paymentId ?? []))]
  const ours = await db().$queryRaw<OurSide[]>(Prisma.sql`
    SELECT id, user_id AS "userId", state, provider_payment_id AS "providerPaymentId", received_micros AS "receivedMicros",
      charge_currency AS "chargeCurrency", credited_at AS "creditedAt", expires_at AS "expiresAt", next_check_at AS "nextCheckAt"
    FROM payments WHERE provider = ${provider} AND (provider_payment_id = ANY(${ids}::text[]) OR id = ANY(${echoed}::text[]))`)
  const byTheirId = new Map(ours.flatMap((each) => (each.providerPaymentId ? [[each.providerPaymentId, each]] : [])))
  const byOurId = new Map(ours.map((each) => [each.id, each]))
  const sides = new Map<string, Side>()
  for (const each of theirs) {
    const own = byTheirId.get(each.providerPaymentId) ?? (each.checkoutId ? byTheirId.get(each.checkoutId) : undefined)
    const payment = own ?? (each.paymentId ? byOurId.get(each.paymentId) : undefined) ?? null
    sides.set(each.providerPaymentId, { id: each.providerPaymentId, theirs: each, ours: payment })
  }
  const told = new Set(theirs.flatMap((each) => [each.providerPaymentId, each.checkoutId]))
  for (const id of others) if (!told.has(id)) sides.set(id, { id, theirs: null, ours: byTheirId.get(id) ?? null })
  return [...sides.values()]
}

/**
 * Keeps what differs: a new row, or the amounts and the time of the one that is open. What a person dismissed stays dismissed while it is the
 * same. Returns how many are new.
 */
export async function keepDifferences(tx: Tx, provider: string, found: readonly Difference[]): Promise<number> {
  const isShopReal = env().SLUICE_MODE === 'production'
  const rows = found.map((each) => ({
    ...each,
    id: newId('dif'),
    isTest: isShopReal && each.isTest,
    theirMicros: each.theirMicros?.toString() ?? null,
    ourMicros: each.ourMicros?.toString() ?? null,
  }))
  const kept = await tx.$queryRaw<{ isNew: boolean }[]>(Prisma.sql`
    INSERT INTO payment_differences AS d
      (id, provider, kind, provider_payment_id, payment_id, user_id, their_micros, our_micros, currency, is_test, found_at, last_seen_at)
    SELECT f.id, ${provider}, f.kind, f."providerPaymentId", f."paymentId", f."userId", f."theirMicros", f."ourMicros", f.currency, f."isTest",
      clock_timestamp(), clock_timestamp()
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS f(id text, kind text, "providerPaymentId" text, "paymentId" text, "userId" text,
      "theirMicros" bigint, "ourMicros" bigint, currency text, "isTest" boolean)
    WHERE NOT EXISTS (
      SELECT 1 FROM payment_differences e WHERE e.provider = ${provider} AND e.provider_payment_id = f."providerPaymentId" AND e.kind = f.kind
        AND e.state = 'dismissed' AND (e.their_micros, e.our_micros, e.currency) IS NOT DISTINCT FROM (f."theirMicros", f."ourMicros", f.currency))
    ORDER BY f."providerPaymentId"
    ON CONFLICT (provider, provider_payment_id, kind) WHERE state = 'open' DO UPDATE SET last_seen_at = excluded.last_seen_at,
      payment_id = excluded.payment_id, user_id = excluded.user_id, their_micros = excluded.their_micros, our_micros = excluded.our_micros,
      currency = excluded.currency, is_test = excluded.is_test
    RETURNING xmax = 0 AS "isNew"`)
  return kept.filter((each) => each.isNew).length
}

/** Ends what was looked at and not found again. What another run has seen since this one began is left to that one's word. */
async function endGone(tx: Tx, provider: string, sides: readonly Side[], startedAt: Date): Promise<void> {
  await tx.paymentDifference.updateMany({
    where: {
      provider,
      state: 'open',
      providerPaymentId: { in: sides.map((each) => each.id) },
      lastSeenAt: { lt: startedAt },
    },
    data: { state: 'mended', endedAt: new Date() },
  })
}

function sumSides(sides: readonly Side[], currency: string): { theirMicros: bigint; ourMicros: bigint } {
  const sum = (amounts: (bigint | null | undefined)[]): bigint =>
    amounts.reduce<bigint>((all, each) => all + (each ?? 0n), 0n)
  return {
    theirMicros: sum(sides.map(({ theirs }) => (theirs?.currency === currency ? theirs.receivedMicros : 0n))),
    // Only what stands under the very id: a credit under another one is counted there.
    ourMicros: sum(
      sides.map(({ id, ours }) =>
        ours?.creditedAt && ours.chargeCurrency === currency && ours.providerPaymentId === id
          ? ours.receivedMicros
          : 0n,
      ),
    ),
  }
}

function countOpen(tx: Tx | ReturnType<typeof db>, provider: string): Promise<number> {
  return tx.paymentDifference.count({ where: { provider, state: 'open' } })
}
