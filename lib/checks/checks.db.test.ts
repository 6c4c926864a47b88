import { db, Prisma } from '@/lib/db'
import { HOUR_MS, newId, OperationalError } from '@/lib/kit'
import { placeOrder } from '@/lib/orders'
import { deliverOrder } from '@/lib/provisioning'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { describe, expect, it } from 'vitest'
import { idAt } from './check-due'
import {
  checkDue,
  checkOnDemand,
  checkOrder,
  enrolMissed,
  getOrderChecks,
  listDowntimes,
  listQuality,
  measureQuality,
  type ProbeResult,
  type Prober,
  type ProxyToProbe,
  removeOldChecks,
  requestCheck,
} from './index'

const PASSED: ProbeResult = { ok: true, exitAddress: '203.0.113.7', countryCode: 'NL', latencyMs: 80 }
const FAILED: ProbeResult = { ok: false, failure: 'timeout' }

/** The outside, by script; what a probe really does is tested on real sockets. */
class ScriptedProber implements Prober {
  asked: string[] = []
  open = 0
  openMax = 0
  isTargetUp = true
  answer: (proxy: ProxyToProbe) => ProbeResult | Promise<ProbeResult> = () => PASSED

  async probe(proxy: ProxyToProbe) {
    this.asked.push(`${proxy.host}:${proxy.port}:${proxy.username}`)
    this.open += 1
    this.openMax = Math.max(this.openMax, this.open)
    await new Promise((resolve) => setImmediate(resolve))
    try {
      return await this.answer(proxy)
    } finally {
      this.open -= 1
    }
  }

  async assertTarget() {
    if (!this.isTargetUp) throw new OperationalError('check target', 'away')
  }
}

async function hold(quantity = 1, plan?: Awaited<ReturnType<typeof makePlan>>, customer?: { id: string }) {
  const on = plan ?? (await makePlan({ units: quantity }))
  const who = customer ?? (await insertCustomer({ balanceMicros: 10_000_000_000n }))
  const placed = await placeOrder({ id: who.id }, await orderFor(on, quantity))
  if (!placed.ok) throw new Error(placed.refusal.code)
  const { orderId } = placed.value
  await deliverOrder({ orderId })
  // The job that the delivery itself promises is not what most tests are about.
  await db().outboxJob.deleteMany({ where: { name: { startsWith: 'checks.' } } })
  return { orderId, userId: who.id, plan: on }
}

const user = (id: string) => ({ kind: 'user' as const, id })
const checksOf = (orderId: string) => db().proxyCheck.count({ where: { orderId } })
const promised = (name: string) =>
  db().outboxJob.findMany({ where: { name }, select: { payload: true, runAt: true }, orderBy: { id: 'asc' } })
const forget = (name: string) => db().outboxJob.deleteMany({ where: { name } })
/** Time goes by: everything about an order's checks moves into the past. */
async function later(orderId: string, ms: number) {
  const by = Prisma.sql`make_interval(secs => ${ms / 1000}::double precision)`
  await db().$executeRaw(Prisma.sql`UPDATE proxy_checks SET at = at - ${by} WHERE order_id = ${orderId}`)
  await db().$executeRaw(Prisma.sql`
    UPDATE proxy_health SET last_at = last_at - ${by}, handover_at = handover_at - ${by}, failing_since = failing_since - ${by},
      next_check_at = next_check_at - ${by}, claimed_until = claimed_until - ${by} WHERE order_id = ${orderId}`)
  await db().$executeRaw(
    Prisma.sql`UPDATE check_runs SET requested_at = requested_at - ${by} WHERE order_id = ${orderId}`,
  )
}

describe('the receipt', () => {
  it('tests each proxy once, twenty at a time, and stays with the order', async () => {
    const { orderId, userId } = await hold(150)
    const prober = new ScriptedProber()
    await checkOrder({ orderId }, prober)
    await checkOrder({ orderId }, prober)
    expect(new Set(prober.asked).size).toBe(150)
    expect(prober.asked).toHaveLength(150)
    expect(prober.openMax).toBe(20)
    const checks = await getOrderChecks({ orderId, userId })
    expect(checks).toMatchObject({ proxies: 150, tested: 150, passed: 150, live: 150, failing: 0, run: null })
    expect(checks.rows).toHaveLength(100)
    expect(checks.rows[0]).toMatchObject({
      position: 1,
      receipt: { ok: true, exitAddress: '203.0.113.7', countryCode: 'NL', latencyMs: 80 },
    })
    expect(checks.rows[0]!.receipt!.at).toBeInstanceOf(Date)
    expect(await promised('checks.check_order')).toEqual([])
  })

  it('what failed is tried once more, five minutes later, and the receipt says what came of that', async () => {
    const { orderId, userId } = await hold(3)
    const prober = new ScriptedProber()
    const dead = new Set<string>()
    prober.answer = ({ username }) => {
      if (dead.size < 2) dead.add(username)
      return dead.has(username) ? FAILED : PASSED
    }
    await checkOrder({ orderId }, prober)
    expect(await getOrderChecks({ orderId, userId })).toMatchObject({ tested: 3, passed: 1, failing: 2 })
    expect(await promised('remedies.replace_dead')).toEqual([])
    const [again] = await promised('checks.check_order')
    expect(again!.payload).toEqual({ orderId, kind: 'handover' })
    expect(again!.runAt!.getTime() - Date.now()).toBeGreaterThan(4.5 * 60_000)
    await checkOrder({ orderId }, prober) // too early: a second job does not make a second try
    expect(prober.asked).toHaveLength(3)
    await later(orderId, 5 * 60_000)
    await forget('checks.check_order')
    const [, stillDead] = dead
    prober.answer = ({ username }) => (username === stillDead ? FAILED : PASSED)
    await Promise.all([checkOrder({ orderId }, prober), checkOrder({ orderId }, prober)])
    expect(prober.asked).toHaveLength(5)
    const checks = await getOrderChecks({ orderId, userId })
    expect(checks).toMatchObject({ tested: 3, passed: 2, failing: 1 })
    expect(checks.rows[0]).toMatchObject({ last: { ok: false, failure: 'timeout' }, receipt: { ok: false } })
    // Whoever replaces proxies is told which one is dead, and only after its second try.
    const told = await promised('remedies.replace_dead')
    expect(told.length).toBeGreaterThanOrEqual(1)
    expect(told[0]!.payload).toEqual({ orderId, allocationIds: [checks.rows[0]!.allocationId] })
    await forget('remedies.replace_dead')
    await later(orderId, HOUR_MS)
    await forget('checks.check_order')
    await checkOrder({ orderId }, prober)
    expect(prober.asked).toHaveLength(5)
    expect(await promised('checks.check_order')).toEqual([])
    await forget('remedies.replace_dead')
  })

  it('two runs at once share the proxies and test none twice', async () => {
    const { orderId } = await hold(250)
    const prober = new ScriptedProber()
    await Promise.all([
      checkOrder({ orderId }, prober),
      checkOrder({ orderId }, prober),
      checkOrder({ orderId }, prober),
    ])
    expect(prober.asked).toHaveLength(250)
    expect(new Set(prober.asked).size).toBe(250)
    expect(await checksOf(orderId)).toBe(250)
  })

  it('a run that died in the middle is gone on with, from where it stopped', async () => {
    const { orderId, userId } = await hold(250)
    const prober = new ScriptedProber()
    let left = 130
    let died: (reason: unknown) => void
    const death = new Promise<never>((_, reject) => (died = reject))
    // The process is gone: its probes never answer, and nothing of it runs on.
    prober.answer = () => (left-- > 0 ? PASSED : (died(new Error('killed')), new Promise<never>(() => undefined)))
    await expect(Promise.race([checkOrder({ orderId }, prober), death])).rejects.toThrow('killed')
    expect(await checksOf(orderId)).toBe(100)
    const second = new ScriptedProber()
    await checkOrder({ orderId }, second)
    // What the dead run had claimed is not taken from it before its claim has run out; a job stands for then.
    expect(second.asked).toHaveLength(50)
    expect(await promised('checks.check_order')).toHaveLength(1)
    await later(orderId, 3 * 60_000)
    await checkOrder({ orderId }, second)
    expect(second.asked).toHaveLength(150)
    expect(await getOrderChecks({ orderId, userId })).toMatchObject({ tested: 250, passed: 250 })
    expect(await checksOf(orderId)).toBe(250)
    await forget('checks.check_order')
  })

  it('a run whose time is over makes room and promises the rest', async () => {
    const { orderId } = await hold(5)
    await checkOrder({ orderId }, new ScriptedProber(), 0)
    expect(await promised('checks.check_order')).toMatchObject([{ payload: { orderId, kind: 'handover' } }])
    await forget('checks.check_order')
  })

  it('while the target itself is away nothing is judged, and nothing stays claimed', async () => {
    const { orderId, userId } = await hold(3)
    const prober = new ScriptedProber()
    prober.isTargetUp = false
    await expect(checkOrder({ orderId }, prober)).rejects.toThrow(OperationalError)
    expect(prober.asked).toEqual([])
    prober.isTargetUp = true
    prober.answer = () => {
      prober.isTargetUp = false // it goes away in the middle: these failures are not the proxies' own
      return FAILED
    }
    await expect(checkOrder({ orderId }, prober)).rejects.toThrow(OperationalError)
    expect(await checksOf(orderId)).toBe(0)
    const fine = new ScriptedProber()
    await checkOrder({ orderId }, fine)
    expect(await getOrderChecks({ orderId, userId })).toMatchObject({ tested: 3, passed: 3 })
  })

  it('an order whose receipt nobody promised is found by the run of each minute, once', async () => {
    const { orderId } = await hold(2)
    const old = idAt('alc', new Date(Date.now() - HOUR_MS))
    // An hour ago, as its ids tell; no command makes old proxies.
    await db().$executeRaw(Prisma.sql`UPDATE allocations SET id = ${old} || substr(id, 17) WHERE order_id = ${orderId}`)
    await Promise.all([checkDue(new ScriptedProber()), checkDue(new ScriptedProber())])
    await checkDue(new ScriptedProber())
    const jobs = await promised('checks.check_order')
    expect(jobs.filter(({ payload }) => (payload as { orderId: string }).orderId === orderId)).toHaveLength(1)
    await forget('checks.check_order')
  })

  it('an order that is not there has nothing to test', async () => {
    await checkOrder({ orderId: newId('ord') }, new ScriptedProber())
    expect(await promised('checks.check_order')).toEqual([])
  })
})

describe('on schedule', () => {
  it('checks what is due once, however many runs there are, and plans the next within the promised hours', async () => {
    const { orderId } = await hold(250)
    await checkOrder({ orderId }, new ScriptedProber())
    await later(orderId, 7 * HOUR_MS)
    const prober = new ScriptedProber()
    await Promise.all([checkDue(prober), checkDue(prober), checkDue(prober)])
    const mine = await db().proxyCheck.count({ where: { orderId, kind: 'schedule' } })
    expect(mine).toBe(250)
    const next = await db().proxyHealth.aggregate({
      where: { orderId },
      _min: { nextCheckAt: true },
      _max: { nextCheckAt: true },
    })
    expect(next._max.nextCheckAt!.getTime()).toBeLessThanOrEqual(Date.now() + 6 * HOUR_MS)
    expect(next._min.nextCheckAt!.getTime()).toBeGreaterThan(Date.now() + 4 * HOUR_MS)
  })

  it('one that fails is looked at every half hour, and its downtime is known', async () => {
    const { orderId, userId } = await hold(1)
    const prober = new ScriptedProber()
    await checkOrder({ orderId }, prober)
    for (const ok of [false, false, true, false]) {
      await later(orderId, ok ? HOUR_MS : 7 * HOUR_MS)
      prober.answer = () => (ok ? PASSED : FAILED)
      await checkDue(prober)
      if (!ok) {
        const { nextCheckAt } = (await db().proxyHealth.findFirst({ where: { orderId } }))!
        expect(nextCheckAt!.getTime()).toBeLessThanOrEqual(Date.now() + HOUR_MS / 2)
      }
    }
    const downtimes = await listDowntimes({ orderId, userId })
    expect(downtimes).toMatchObject([{ failed: 2 }, { failed: 1, to: null }])
    const [first] = downtimes
    // Seven hours between the two failures, one more until it passed.
    expect(Math.round((first!.to!.getTime() - first!.from.getTime()) / HOUR_MS)).toBe(8)
    const [row] = (await getOrderChecks({ orderId, userId })).rows
    expect(row!.failingSince!.getTime()).toBe(downtimes[1]!.from.getTime())
    expect(await listDowntimes({ orderId, userId: newId('usr') })).toEqual([])
  })

  it('what ended is not checked; what was renewed in time goes on, what came back later is found at night', async () => {
    const { orderId } = await hold(2)
    const prober = new ScriptedProber()
    await checkOrder({ orderId }, prober)
    const [first, second] = await db().allocation.findMany({ where: { orderId }, select: { id: true } })
    const end = (id: string, days: number) =>
      db().allocation.update({ where: { id }, data: { expiresAt: new Date(Date.now() - days * 24 * HOUR_MS) } })
    await end(first!.id, 1)
    await end(second!.id, 90)
    await later(orderId, 7 * HOUR_MS)
    await checkDue(prober)
    expect(prober.asked).toHaveLength(2)
    const due = async (allocationId: string) =>
      (await db().proxyHealth.findUniqueOrThrow({ where: { allocationId } })).nextCheckAt
    expect(await due(first!.id)).not.toBeNull()
    expect(await due(second!.id)).toBeNull()
    await end(second!.id, -30)
    expect(await enrolMissed()).toBe(1)
    expect(await enrolMissed()).toBe(0)
    expect((await due(second!.id))!.getTime()).toBeLessThanOrEqual(Date.now() + 6 * HOUR_MS)
  })

  it('single checks go after 45 days, receipts stay', async () => {
    const { orderId, userId } = await hold(3)
    await checkOrder({ orderId }, new ScriptedProber())
    await later(orderId, 7 * HOUR_MS)
    await checkDue(new ScriptedProber())
    expect(await removeOldChecks()).toBe(0)
    await removeOldChecks(new Date(Date.now() + 46 * 24 * HOUR_MS))
    expect(await checksOf(orderId)).toBe(3)
    const { rows } = await getOrderChecks({ orderId, userId })
    expect(rows.map((row) => row.receipt?.ok)).toEqual([true, true, true])
    expect(rows.map((row) => row.last)).toEqual([null, null, null])
  })
})

describe('on demand', () => {
  it('checks all of an order, or one; the page says how far it is', async () => {
    const { orderId, userId } = await hold(3)
    await checkOrder({ orderId }, new ScriptedProber())
    await later(orderId, HOUR_MS)
    const asked = await requestCheck(user(userId), { orderId, userId })
    expect(asked.ok).toBe(true)
    const { runId } = (asked as { value: { runId: string } }).value
    expect(await promised('checks.check_on_demand')).toMatchObject([{ payload: { runId } }])
    expect((await getOrderChecks({ orderId, userId })).run).toMatchObject({ done: 0, total: 3 })
    const prober = new ScriptedProber()
    prober.answer = () => FAILED
    await Promise.all([checkOnDemand({ runId }, prober), checkOnDemand({ runId }, prober)])
    await checkOnDemand({ runId }, prober)
    expect(prober.asked).toHaveLength(3)
    expect(await getOrderChecks({ orderId, userId })).toMatchObject({ run: null, passed: 3, failing: 3 })

    await later(orderId, HOUR_MS)
    await db().$executeRaw(Prisma.sql`UPDATE proxy_health SET next_check_at = now() + interval '1 hour'`)
    const [row] = (await getOrderChecks({ orderId, userId })).rows
    const one = await requestCheck(user(userId), { orderId, userId, allocationId: row!.allocationId })
    await checkOnDemand((one as { value: { runId: string } }).value, prober)
    expect(prober.asked).toHaveLength(4)
    await forget('checks.check_on_demand')
  })

  it('one run at a time and one in two minutes, also for twenty requests at once', async () => {
    const { orderId, userId } = await hold(1)
    const answers = await Promise.all(Array.from({ length: 20 }, () => requestCheck(user(userId), { orderId, userId })))
    expect(answers.filter((answer) => answer.ok)).toHaveLength(1)
    expect(await requestCheck(user(userId), { orderId, userId })).toMatchObject({ refusal: { code: 'check_running' } })
    const { runId } = answers.find((answer) => answer.ok)!.value
    await checkOnDemand({ runId }, new ScriptedProber())
    const again = await requestCheck(user(userId), { orderId, userId })
    expect(again).toMatchObject({ refusal: { code: 'checked_just_now' } })
    expect(!again.ok && again.refusal.facts.seconds).toBeLessThanOrEqual(120)
    await later(orderId, 2 * 60_000)
    expect(await requestCheck(user(userId), { orderId, userId })).toMatchObject({ ok: true })
    // Its job is lost: after half an hour it stands in nobody's way.
    await later(orderId, 31 * 60_000)
    expect((await getOrderChecks({ orderId, userId })).run).toBeNull()
    expect(await requestCheck(user(userId), { orderId, userId })).toMatchObject({ ok: true })
    await forget('checks.check_on_demand')
  })

  it('a customer has three orders under check at most; staff are not held up by that', async () => {
    const customer = await insertCustomer({ balanceMicros: 10_000_000_000n })
    const plan = await makePlan({ units: 5 })
    const orders: string[] = []
    for (let count = 0; count < 4; count += 1) orders.push((await hold(1, plan, customer)).orderId)
    const ask = (orderId: string, userId?: string) => requestCheck(user(customer.id), { orderId, userId })
    for (const orderId of orders.slice(0, 3)) expect((await ask(orderId, customer.id)).ok).toBe(true)
    expect(await ask(orders[3]!, customer.id)).toMatchObject({ refusal: { code: 'too_many_checks' } })
    expect(await ask(orders[3]!)).toMatchObject({ ok: true })
    await forget('checks.check_on_demand')
  })

  it('foreign ids: somebody else’s order, a proxy of another order, what ended, what is not there', async () => {
    const mine = await hold(1)
    const theirs = await hold(1)
    const [foreign] = (await getOrderChecks({ orderId: theirs.orderId })).rows
    const ask = (input: { orderId: string; allocationId?: string }) =>
      requestCheck(user(mine.userId), { userId: mine.userId, ...input })
    const notFound = { refusal: { code: 'not_found' } }
    expect(await ask({ orderId: theirs.orderId })).toMatchObject(notFound)
    expect(await ask({ orderId: newId('ord') })).toMatchObject(notFound)
    expect(await ask({ orderId: mine.orderId, allocationId: foreign!.allocationId })).toMatchObject(notFound)
    expect(await getOrderChecks({ orderId: theirs.orderId, userId: mine.userId })).toMatchObject({
      proxies: 0,
      rows: [],
    })
    await db().allocation.updateMany({ where: { orderId: mine.orderId }, data: { expiresAt: new Date(0) } })
    expect(await ask({ orderId: mine.orderId })).toMatchObject({ refusal: { code: 'nothing_to_check' } })
    expect(await promised('checks.check_on_demand')).toEqual([])
    expect(await db().checkRun.count({ where: { orderId: { in: [mine.orderId, theirs.orderId] } } })).toBe(0)
  })
})

describe('quality', () => {
  it('counts a proxy once in six hours, leaves out what was asked for, and says nothing below twenty checks', async () => {
    const { orderId, userId, plan } = await hold(25)
    const few = await hold(3)
    const productOf = async (planId: string) => (await db().plan.findUniqueOrThrow({ where: { id: planId } })).productId
    const prober = new ScriptedProber()
    let turn = 0
    prober.answer = () => (turn++ < 5 ? FAILED : { ...PASSED, latencyMs: 100 + turn })
    await checkOrder({ orderId }, prober)
    await checkOrder({ orderId: few.orderId }, prober)
    // What failed is looked at again and again, and somebody asks, too.
    await db().$executeRaw(
      Prisma.sql`UPDATE proxy_health SET next_check_at = now() - interval '1 second' WHERE order_id = ${orderId} AND NOT last_ok`,
    )
    prober.answer = () => FAILED
    const [{ at }] = (await db().$queryRaw<{ at: Date }[]>(
      Prisma.sql`SELECT min(at) AS at FROM proxy_checks WHERE order_id = ${orderId}`,
    )) as [{ at: Date }]
    await checkDue(prober)
    const asked = await requestCheck(user(userId), { orderId, userId })
    if (asked.ok) await checkOnDemand(asked.value, prober)
    // All of it in one span, wherever the clock stood.
    await db().$executeRaw(
      Prisma.sql`UPDATE proxy_checks SET at = ${new Date(Math.floor(at.getTime() / (6 * HOUR_MS)) * 6 * HOUR_MS + 60_000)}::timestamptz + (at - ${at}::timestamptz) WHERE order_id = ${orderId}`,
    )
    const [dead, older] = await db().allocation.findMany({ where: { orderId }, select: { id: true } })
    const exchange = (oldAllocationId: string, createdAt: Date) => ({
      id: newId('rpl'),
      orderId,
      userId,
      oldAllocationId,
      key: oldAllocationId,
      reason: 'dead',
      state: 'replaced',
      newAllocationId: newId('alc'),
      createdAt,
      endedAt: createdAt,
    })
    await db().replacement.createMany({
      data: [exchange(dead!.id, new Date()), exchange(older!.id, new Date(Date.now() - 31 * 24 * HOUR_MS))],
    })
    expect(await measureQuality()).toBeGreaterThanOrEqual(2)
    const quality = (await listQuality({ productId: await productOf(plan.planId) })).get('NL')
    expect(quality).toMatchObject({ checks: 25, passed: 20, replacements: 1 })
    expect(quality!.medianLatencyMs).toBeGreaterThan(100)
    expect(await listQuality({ productId: await productOf(few.plan.planId) })).toEqual(new Map())
    expect(await db().productQuality.count({ where: { checks: 3 } })).toBeGreaterThanOrEqual(1)
    await forget('checks.check_on_demand')
    await forget('checks.check_order')
  })
})

describe('a proxy that lets its customer in another way', () => {
  /** As a supplier that takes the login away while addresses are bound leaves it. */
  const bind = async (allocationId: string) =>
    db().allocation.update({
      where: { id: allocationId },
      data: { username: '', password: '', boundAddresses: ['198.51.99.1'], deliveryId: newId('dlv') },
    })

  it('by address alone is not checked: it is neither dead nor down because we cannot get in', async () => {
    const { orderId, userId } = await hold(2)
    const { id: boundId } = await db().allocation.findFirstOrThrow({ where: { orderId }, orderBy: { position: 'asc' } })
    const prober = new ScriptedProber()
    await checkOrder({ orderId }, prober)
    await bind(boundId)
    await later(orderId, 7 * HOUR_MS)
    prober.answer = (proxy) => (proxy.username === '' ? FAILED : PASSED)
    await checkDue(prober)
    expect(prober.asked).toHaveLength(3)
    const asked = await requestCheck(user(userId), { orderId, userId })
    await checkOnDemand({ runId: asked.ok ? asked.value.runId : '' }, prober)
    expect(await getOrderChecks({ orderId, userId })).toMatchObject({ failing: 0, run: null })
    expect(await listDowntimes({ orderId })).toEqual([])
    expect(await requestCheck(user(userId), { orderId, userId, allocationId: boundId })).toMatchObject({
      refusal: { code: 'nothing_to_check' },
    })
  })

  it('that failed before it was bound was down until then', async () => {
    const { orderId } = await hold(1)
    const { id } = await db().allocation.findFirstOrThrow({ where: { orderId } })
    const prober = new ScriptedProber()
    prober.answer = () => FAILED
    await checkOrder({ orderId }, prober)
    expect(await listDowntimes({ orderId })).toMatchObject([{ to: null }])
    await bind(id)
    const downtimes = await listDowntimes({ orderId })
    expect(downtimes).toMatchObject([{ from: expect.any(Date), to: expect.any(Date) }])
    expect(downtimes.map(({ to }) => to)).toEqual(downtimes.map(({ from }) => from))
  })

  it('whose login is changed while it is checked: a failure says nothing, a pass does', async () => {
    const { orderId, userId } = await hold(2)
    const rows = await db().allocation.findMany({ where: { orderId }, orderBy: { position: 'asc' } })
    const failing = await db().allocation.findFirstOrThrow({ where: { orderId }, orderBy: { position: 'asc' } })
    const change = { orderId, userId, key: newId('req'), kind: 'rotate', addresses: [], state: 'calling' }
    await db().accessChange.create({ data: { id: newId('acs'), ...change, allocationIds: rows.map(({ id }) => id) } })
    const prober = new ScriptedProber()
    prober.answer = ({ port, host }) => (host === failing.host && port === failing.port ? FAILED : PASSED)
    await checkOrder({ orderId }, prober)
    const health = await db().proxyHealth.findMany({ where: { orderId }, select: { allocationId: true, lastOk: true } })
    expect(new Map(health.map((row) => [row.allocationId, row.lastOk]))).toEqual(
      new Map(rows.map(({ id }) => [id, id === failing.id ? null : true])),
    )
  })
})
