import { db, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { DAY_MS, HOUR_MS, invariant, MINUTE_MS, newId, OperationalError } from '@/lib/kit'
import { log } from '@/lib/log'
import { askExchange, GIVE_BACK_AFTER_MS, readExchange, type SupplierFor, supplierOf } from '@/lib/provisioning'
import { type PurchasedProxy, type Replacement, UnknownOutcomeError } from '@/lib/suppliers'
import type { Remedy } from './decide-remedy'
import { type OrderFacts, readFacts } from './facts'
import { exchangeJob } from './jobs'
import { giveCredit } from './refund-proxies'
import { type ReplaceReason, takeFromStock } from './take-from-stock'

/**
 * How long an exchange is waited for that a supplier has taken on: a ticket there is answered within a working day, and two days reach over a public holiday. Downtime is
 * credited meanwhile. What was never taken on (no answer, or it could not be reached) waits as long as an order does: GIVE_BACK_AFTER_MS.
 */
export const EXCHANGE_WITHIN_MS = 2 * DAY_MS
/** Looks come after one minute, two, four, and at most this. */
const LOOK_AT_MOST_EVERY_MS = 4 * HOUR_MS
/** What could not be paid back at once (a renewal of the order is under way) is tried again. */
const AGAIN_AFTER_MS = 5 * MINUTE_MS
/** The queue keeps a job's time by its own clock. */
const EARLY_BY_MS = 1_000

type Open = {
  id: string
  orderId: string
  allocationId: string
  key: string
  reason: ReplaceReason
  askedBy: string | null
  supplier: string
  state: string
  step: string
  rule: Prisma.JsonValue
  promisedMicros: bigint
  lookups: number
  /** Whether its customer still has the old proxy. */
  isHeld: boolean
  isOver: boolean
}

/**
 * Notes that a supplier is to exchange a proxy, and promises the job that asks it, in one transaction: once per key and proxy. `waiting`: somebody else's asking is
 * under way. `refused`: it was exchanged or paid back before, is not held any more, or a supplier renews the order just now.
 */
export async function openExchange(input: {
  facts: OrderFacts
  allocationId: string
  supplier: string
  remedy: Remedy
  key: string
  reason: ReplaceReason
  askedBy: string | null
}): Promise<'requested' | 'waiting' | 'refused'> {
  const { orderId, userId } = input.facts
  const { allocationId, key, remedy, reason } = input
  return db().$transaction(async (tx) => {
    await tx.$queryRaw(Prisma.sql`SELECT id FROM orders WHERE id = ${orderId} FOR NO KEY UPDATE`)
    const earlier = await tx.replacement.findFirst({
      where: { orderId, OR: [{ key }, { oldAllocationId: allocationId, state: { not: 'refused' } }] },
      select: { state: true, key: true },
    })
    if (earlier) return earlier.state !== 'open' ? 'refused' : earlier.key === key ? 'requested' : 'waiting'
    const [held] = await tx.$queryRaw<{ expiresAt: Date; now: Date }[]>(Prisma.sql`
      SELECT a.expires_at AS "expiresAt", now() AS now FROM allocations a WHERE a.id = ${allocationId} AND a.order_id = ${orderId} AND a.state = 'active' AND a.expires_at > now()
        AND NOT EXISTS (SELECT 1 FROM renewals r WHERE r.order_id = a.order_id AND r.state = 'held')`)
    if (!held) return 'refused'
    const id = newId('rpl')
    await tx.replacement.create({
      data: {
        id,
        orderId,
        userId,
        oldAllocationId: allocationId,
        key,
        reason,
        askedBy: input.askedBy,
        state: 'open',
        supplier: input.supplier,
        step: 'waiting',
        rule: remedy.row,
        promisedMicros: remedy.moneyMicros,
        lookAt: held.now,
        giveUpAt: new Date(Math.min(held.now.getTime() + GIVE_BACK_AFTER_MS, held.expiresAt.getTime())),
      },
      select: { id: true },
    })
    await tx.orderEvent.create({
      data: { orderId, kind: 'replacement_asked', data: { oldId: allocationId, reason } },
      select: { id: true },
    })
    await enqueue(tx, exchangeJob, { replacementId: id })
    return 'requested'
  })
}

/**
 * Does what an exchange needs now: asks the supplier once, or looks what came of that, or, when its time is over, gives what the policy gives. Each run takes its turn
 * by a time in the row and promises the next one before it does anything, so a run that dies is followed by another, and two at once are one. A call whose answer is
 * missing is never repeated: the order there is looked at until the new proxy shows or the time is over. What a supplier gives after that is kept for staff to see.
 */
export async function exchangeProxy(
  { replacementId }: { replacementId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<void> {
  const turn = await takeTurn(replacementId)
  if (!turn) return
  const { open } = turn
  switch (turn.kind) {
    case 'call':
      return callSupplier(open, supplierFor)
    case 'look':
      await lookFor(open, supplierFor)
      return
    case 'late':
      return lookForLate(open, supplierFor)
    case 'over': {
      const mayHaveBeenDone = open.step !== 'waiting' && open.step !== 'refused'
      if (mayHaveBeenDone && (await lookFor(open, supplierFor))) return
      return giveInstead(open)
    }
  }
}

type Turn = { kind: 'call' | 'look' | 'over' | 'late'; open: Open }

/** Whose turn it is: of several runs, the one that moves the row's time. It promises the next run with it. */
async function takeTurn(replacementId: string): Promise<Turn | null> {
  return db().$transaction(async (tx) => {
    const [open] = await tx.$queryRaw<(Open & { now: Date })[]>(Prisma.sql`
      SELECT r.id, r.order_id AS "orderId", r.old_allocation_id AS "allocationId", r.key, r.reason, r.asked_by AS "askedBy", r.supplier, r.state, r.step, r.rule,
             r.promised_micros AS "promisedMicros", r.lookups, a.state = 'active' AS "isHeld", r.give_up_at <= now() AS "isOver", now() AS now
      FROM replacements r JOIN allocations a ON a.id = r.old_allocation_id
      WHERE r.id = ${replacementId} AND r.look_at <= now() + make_interval(secs => ${EARLY_BY_MS / 1000}::float8) FOR NO KEY UPDATE OF r`)
    if (!open) return null
    const next = (afterMs: number) => new Date(open.now.getTime() + afterMs)
    if (open.state !== 'open') {
      const lookAt = open.isOver ? null : next(DAY_MS)
      await tx.replacement.update({ where: { id: open.id }, data: { lookAt }, select: { id: true } })
      return { kind: 'late', open }
    }
    const kind =
      !open.isHeld || open.isOver || open.step === 'refused' ? 'over' : open.step === 'waiting' ? 'call' : 'look'
    const lookAt = next(
      kind === 'over' ? AGAIN_AFTER_MS : Math.min(MINUTE_MS * 2 ** Math.min(open.lookups, 20), LOOK_AT_MOST_EVERY_MS),
    )
    await tx.replacement.update({
      where: { id: open.id },
      data: { lookAt, lookups: { increment: 1 }, ...(kind === 'call' ? { step: 'calling' } : {}) },
      select: { id: true },
    })
    await enqueue(tx, exchangeJob, { replacementId: open.id }, { runAt: lookAt })
    return { kind, open }
  })
}

async function callSupplier(open: Open, supplierFor: SupplierFor): Promise<void> {
  let outcome: Replacement
  try {
    outcome = await askExchange(open, supplierFor)
  } catch (error) {
    if (error instanceof UnknownOutcomeError) return setStep(open, { step: 'unknown', detail: error.message })
    // What is no word of the supplier's is a bug of ours: it stays as called, and is looked up.
    if (!(error instanceof OperationalError)) throw error
    // It certainly did nothing: the next run asks again.
    return setStep(open, { step: 'waiting', detail: error.message })
  }
  if (outcome.kind === 'replaced') {
    // A place that is known is not what it exchanged it for: the order there tells what is.
    if (!(await take(open, [outcome.replacement])))
      await setStep(open, { step: 'unknown', detail: 'told a known place' })
    return
  }
  if (outcome.kind === 'pending') return setStep(open, { step: 'pending', detail: null })
  await setStep(open, { step: 'refused', detail: outcome.detail })
  await giveInstead(open)
}

/** How the asking stands, unless another run has come further. What the supplier has taken on is waited for longer, though never beyond the proxy's own end. */
async function setStep(open: Open, to: { step: string; detail: string | null }): Promise<void> {
  await db().$executeRaw(Prisma.sql`
    UPDATE replacements r SET step = ${to.step}, detail = ${to.detail?.slice(0, 300) ?? null},
      give_up_at = CASE WHEN ${to.step} = 'pending' THEN least(r.created_at + make_interval(secs => ${EXCHANGE_WITHIN_MS / 1000}::float8), a.expires_at) ELSE r.give_up_at END
    FROM allocations a WHERE a.id = r.old_allocation_id AND r.id = ${open.id} AND r.state = 'open' AND r.step = 'calling'`)
}

/** Looks at the order there. True: the exchange has an end. A supplier that cannot be asked now is asked by the next run, which is promised. */
async function lookFor(open: Open, supplierFor: SupplierFor): Promise<boolean> {
  try {
    const { isThere, fresh } = await readExchange(open, supplierFor)
    return !isThere && (await take(open, fresh))
  } catch (error) {
    if (!(error instanceof OperationalError)) throw error
    log('remedies').warn({ replacementId: open.id, supplier: open.supplier }, error.message)
    return false
  }
}

/** Takes over the first of these that nobody has (SQL function take_replacement). True: the exchange has an end, by this run or another. */
async function take(open: Open, candidates: readonly PurchasedProxy[]): Promise<boolean> {
  for (const { supplierRef, host, port, username, password, protocols, expiresAt } of candidates) {
    const [row] = await db().$queryRaw<{ outcome: string; promised: Date | null }[]>(Prisma.sql`
      SELECT t.outcome, (SELECT a.expires_at FROM allocations a WHERE a.id = ${open.allocationId}) AS promised
      FROM take_replacement(${open.id}, ${supplierRef}, ${host}, ${port}::int, ${username}, ${password}, ${protocols}::text[]) t`)
    const { outcome, promised } = row!
    if (outcome === 'known') continue
    if (outcome === 'not_held') return false
    invariant(outcome === 'replaced' || outcome === 'ended', `take_replacement answered ${outcome}`)
    if (outcome === 'replaced' && promised && promised.getTime() - expiresAt.getTime() > 6 * HOUR_MS)
      log('remedies').error({ replacementId: open.id }, 'a supplier gave a proxy that ends before the one it replaces')
    return true
  }
  return false
}

/** Nobody exchanged it there: from stock, which may have come in meanwhile, else the money that was promised. */
async function giveInstead(open: Open): Promise<void> {
  const facts = await readFacts({ orderId: open.orderId })
  const proxy = facts?.proxies.find((each) => each.allocationId === open.allocationId)
  if (!facts || !proxy || !open.isHeld) return endRefused(open, null)
  const taken = await takeFromStock(facts, { ...open, replacementId: open.id })
  if (taken !== 'sold_out' && taken !== 'not_live') return
  const left = proxy.paidMicros - proxy.creditedMicros
  const amountMicros = open.promisedMicros < left ? open.promisedMicros : left
  if (amountMicros <= 0n) return endRefused(open, 'not_replaced')
  const credited = await giveCredit(
    {
      orderId: open.orderId,
      key: `not_replaced:${open.allocationId}`,
      cause: 'not_replaced',
      amountMicros,
      allocationIds: [open.allocationId],
      evidence: { rule: open.rule, reason: open.reason, askedAt: open.supplier },
      givenBy: null,
    },
    (tx, creditId) =>
      tx.replacement.update({ where: { id: open.id }, data: { outcome: creditId }, select: { id: true } }),
    (tx) => endAs(tx, open, 'credited'),
  )
  if (credited.ok)
    log('remedies').info({ orderId: open.orderId }, 'a supplier did not exchange a proxy, and it was paid back')
  else if (credited.refusal.code === 'nothing_to_refund') await endRefused(open, 'not_replaced')
  // Else the order moves just now: the next run, which is promised, finds it still.
}

async function endRefused(open: Open, event: 'not_replaced' | null): Promise<void> {
  await db().$transaction(async (tx) => {
    await tx.$queryRaw(Prisma.sql`SELECT id FROM orders WHERE id = ${open.orderId} FOR NO KEY UPDATE`)
    if (!(await endAs(tx, open, 'refused')) || !event) return
    await tx.orderEvent.create({
      data: { orderId: open.orderId, kind: event, data: { oldId: open.allocationId } },
      select: { id: true },
    })
  })
}

/** Ends an open exchange without a new proxy. What the supplier may still do about it is looked for a week long. False: it has ended already. */
async function endAs(tx: Tx, open: Open, state: 'credited' | 'refused'): Promise<boolean> {
  const ended = await tx.$executeRaw(Prisma.sql`
    UPDATE replacements SET state = ${state}, ended_at = now(),
      look_at = CASE WHEN step IN ('calling', 'pending', 'unknown') THEN now() + interval '1 day' END,
      give_up_at = CASE WHEN step IN ('calling', 'pending', 'unknown') THEN now() + interval '7 days' END
    WHERE id = ${open.id} AND state = 'open'`)
  return ended === 1
}

/** After the customer was paid: has the supplier exchanged it all the same? Then that proxy is the operator's, and staff see it with the order. */
async function lookForLate(open: Open, supplierFor: SupplierFor): Promise<void> {
  let fresh: PurchasedProxy[]
  try {
    const told = await readExchange(open, supplierFor)
    if (told.isThere) return
    fresh = told.fresh
  } catch (error) {
    if (error instanceof OperationalError) return
    throw error
  }
  const others = await db().replacement.findMany({
    where: { orderId: open.orderId, latePlace: { not: null } },
    select: { latePlace: true },
  })
  const place = fresh
    .map(({ host, port }) => `${host}:${port}`)
    .find((each) => !others.some(({ latePlace }) => latePlace === each))
  if (!place) return
  await db().replacement.updateMany({
    where: { id: open.id, latePlace: null },
    data: { latePlace: place, lookAt: null },
  })
  log('remedies').error(
    { orderId: open.orderId, replacementId: open.id, supplier: open.supplier },
    'a supplier exchanged a proxy after its customer was paid',
  )
}

/** Older than any run that comes when it was promised. */
const LEFT_BEHIND_AFTER_MS = 3 * MINUTE_MS

/** Exchanges whose time has come and that no job works on: promises their jobs again. The late looks have no job but this. Returns how many. */
export async function sweepExchanges(): Promise<number> {
  const before = new Date(Date.now() - LEFT_BEHIND_AFTER_MS)
  return db().$executeRaw(Prisma.sql`
    INSERT INTO outbox_jobs (name, payload)
    SELECT ${exchangeJob.name}, jsonb_build_object('replacementId', r.id) FROM replacements r
    WHERE r.look_at < ${before}
      AND NOT EXISTS (SELECT 1 FROM graphile_worker._private_jobs j WHERE j.attempts < j.max_attempts AND j.payload ->> 'replacementId' = r.id)
    LIMIT 1000`)
}
