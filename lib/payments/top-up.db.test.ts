import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { db, Prisma } from '@/lib/db'
import { HOUR_MS, MINUTE_MS, newId, OperationalError } from '@/lib/kit'
import { insertCustomer } from '@/test/factories/customer'
import { PAYERS, PAYMENT_STANDS } from '@/test/payment-stands'
import { type OpenPayment, type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import {
  findPayment,
  listPayments,
  receiveWebhook,
  reconcilePayments,
  settlePayment,
  settleWithTruth,
  startTopUp,
  type PaymentRef,
  type Truth,
} from './index'

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
})
afterAll(async () => {
  await bench.close()
})
beforeEach(async () => {
  for (const { name } of PAYMENT_STANDS) await bench.control(name, 'reset')
  await db().$executeRaw(Prisma.sql`DELETE FROM outbox_jobs WHERE name = 'payments.settle'`)
})

const stateOf = async (id: string) => db().payment.findUniqueOrThrow({ where: { id } })
const eventsOf = async (id: string) =>
  (await db().paymentEvent.findMany({ where: { paymentId: id }, orderBy: { id: 'asc' } })).map((event) => event.kind)
const messagesOf = ({ id, providerPaymentId }: OpenPayment) =>
  db().webhookMessage.findMany({ where: { OR: [{ providerPaymentId }, { paymentId: id }] } })
const transfersOf = (id: string) => db().ledgerTransfer.count({ where: { sourceKind: 'payment', sourceId: id } })
const mailsOf = async (userId: string) =>
  (await db().outgoingEmail.findMany({ where: { userId } })).map((mail) => mail.key).sort()
const asked = (payment: OpenPayment, provider: string) => ({
  provider,
  providerPaymentId: payment.providerPaymentId,
  paymentId: payment.id,
  messageId: null,
})
const settle = (payment: OpenPayment, provider: string) =>
  settlePayment(asked(payment, provider), { provider: bench.providers.find((each) => each.name === provider) })

describe.each(PAYMENT_STANDS)('$name', ({ name: provider, words, signature, path }) => {
  const pay = (payment: OpenPayment, wish: object) =>
    bench.control(provider, `invoices/${payment.providerPaymentId}/pay`, wish)
  const say = (payment: OpenPayment, wish: object) =>
    bench.control(provider, `invoices/${payment.providerPaymentId}`, wish)
  const send = (payment: OpenPayment, wish: object) =>
    bench.control(provider, `invoices/${payment.providerPaymentId}/webhook`, wish)

  test('paid in full: credited, with receipt, audit, timeline and the announcement', async () => {
    const payment = await bench.topUp(provider)
    expect((await pay(payment, { webhooks: 1 })).answers).toEqual([202])
    expect(await bench.work()).toEqual([{ outcome: 'credited', paymentId: payment.id }])
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
    expect(await stateOf(payment.id)).toMatchObject({
      state: 'credited',
      creditedMicros: 20_000_000n,
      receivedMicros: 20_000_000n,
      nextCheckAt: null,
    })
    expect(await eventsOf(payment.id)).toEqual(['created', 'awaiting', 'credited'])
    expect(await mailsOf(payment.user.id)).toEqual([`receipt:${payment.id}`])
    const [message] = await messagesOf(payment)
    expect(message).toMatchObject({ outcome: 'credited', repeats: 0, paymentId: payment.id })
    expect(message!.digest).toMatch(/^[0-9a-f]{64}$/)
    const view = await findPayment({ userId: payment.user.id, paymentId: payment.id })
    expect(view).toMatchObject({ state: 'credited', checkoutUrl: null })
    expect(await findPayment({ userId: (await insertCustomer()).id, paymentId: payment.id })).toBeNull()
  })

  test('the webhook sent twenty times at once credits once', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, { webhooks: 0 })
    const { answers } = await send(payment, { times: 20, concurrently: true })
    expect(new Set(answers)).toEqual(new Set([202]))
    await bench.work()
    await send(payment, { times: 3 })
    await bench.work()
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
    expect(await transfersOf(payment.id)).toBe(1)
    const messages = await messagesOf(payment)
    expect(messages).toHaveLength(1)
    expect(messages[0]).toMatchObject({ repeats: 22, outcome: 'credited' })
  })

  test('ten settles at once credit once; a settle that comes again after a kill credits nothing more', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, { webhooks: 0 })
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => settle(payment, provider)))
    expect(outcomes.filter((each) => each.outcome === 'credited')).toHaveLength(1)
    expect(outcomes.filter((each) => each.outcome === 'already_credited')).toHaveLength(9)
    expect((await settle(payment, provider)).outcome).toBe('already_credited')
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
    expect(await mailsOf(payment.user.id)).toEqual([`receipt:${payment.id}`])
  })

  const forgeries: Record<typeof signature, { forged?: boolean; expired?: boolean }[]> = {
    ages: [{ forged: true }, { expired: true }],
    covers: [{ forged: true }],
    none: [],
  }
  test.each(forgeries[signature])('a callback that is %j leaves no trace', async (odd) => {
    const payment = await bench.topUp(provider)
    await pay(payment, { webhooks: 0 })
    expect((await send(payment, { times: 2, ...odd })).answers).toEqual([401, 401])
    expect(await messagesOf(payment)).toEqual([])
    expect(await bench.work()).toEqual([])
    expect((await stateOf(payment.id)).state).toBe('awaiting')
  })

  test('the provider down means later: the job fails, comes again, and credits', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, { webhooks: 0 })
    await bench.control(provider, 'fail', { times: 1, match: path, status: 503 })
    await expect(settle(payment, provider)).rejects.toBeInstanceOf(OperationalError)
    expect((await settle(payment, provider)).outcome).toBe('credited')
  })

  test('out of order: a word about the past does not undo the credit', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, {})
    await bench.work()
    for (const state of [words.underpaid, words.expired].filter((each) => each !== null)) {
      await say(payment, { state, paid: '1.00' })
      expect((await settle(payment, provider)).outcome).toBe('already_credited')
    }
    expect(await stateOf(payment.id)).toMatchObject({ state: 'credited', creditedMicros: 20_000_000n })
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
  })

  test('late: expired first, then paid, is credited', async () => {
    const payment = await bench.topUp(provider)
    await say(payment, { state: words.expired })
    expect((await settle(payment, provider)).outcome).toBe('expired')
    expect(await stateOf(payment.id)).toMatchObject({ state: 'expired' })
    await pay(payment, { webhooks: 1 })
    expect((await bench.work())[0]!.outcome).toBe('credited')
    expect(await eventsOf(payment.id)).toEqual(['created', 'awaiting', 'expired', 'credited'])
  })

  test('a part waits for the rest; the time running out on it calls a person, once', async () => {
    if (words.underpaid === null) return
    const payment = await bench.topUp(provider)
    await pay(payment, { amount: '5.00', webhooks: 0 })
    expect((await settle(payment, provider)).outcome).toBe('waiting')
    expect(await stateOf(payment.id)).toMatchObject({ state: 'underpaid', receivedMicros: 5_000_000n })
    await say(payment, { state: words.expiredOnPart ?? words.expired })
    expect((await settle(payment, provider)).outcome).toBe('needs_review')
    expect((await settle(payment, provider)).outcome).toBe('needs_review')
    expect(await stateOf(payment.id)).toMatchObject({
      state: 'needs_review',
      reviewReason: 'underpaid',
      receivedMicros: 5_000_000n,
    })
    expect(await mailsOf(payment.user.id)).toEqual([`review:${payment.id}`])
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    expect((await eventsOf(payment.id)).filter((kind) => kind === 'needs_review')).toHaveLength(1)
    // The rest comes all the same: enough is enough.
    await pay(payment, { webhooks: 0 })
    expect((await settle(payment, provider)).outcome).toBe('credited')
  })

  test('called paid with less than asked is a matter for a person', async () => {
    const payment = await bench.topUp(provider)
    await say(payment, { state: words.paid, paid: '19.99' })
    expect((await settle(payment, provider)).outcome).toBe('needs_review')
    expect(await transfersOf(payment.id)).toBe(0)
  })

  test('overpaid: what came is credited', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, { amount: '33.33' })
    await bench.work()
    expect(await bench.balanceOf(payment.user.id)).toBe(33_330_000n)
    expect(await stateOf(payment.id)).toMatchObject({ requestedMicros: 20_000_000n, creditedMicros: 33_330_000n })
  })

  test('another currency is never credited as ours', async () => {
    const payment = await bench.topUp(provider)
    await say(payment, { state: words.paid, paid: '20.00', currency: 'EUR' })
    expect((await settle(payment, provider)).outcome).toBe('needs_review')
    expect(await stateOf(payment.id)).toMatchObject({ reviewReason: 'wrong_currency', receivedMicros: null })
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
  })

  test('another order under our invoice is never credited', async () => {
    const payment = await bench.topUp(provider)
    await say(payment, { state: words.paid, paid: '20.00', orderId: newId('pay') })
    expect((await settle(payment, provider)).outcome).toBe('needs_review')
    expect(await stateOf(payment.id)).toMatchObject({ reviewReason: 'order_mismatch' })
  })

  test('a callback for a payment nobody knows is kept and answered; it is matched when our row appears', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, { webhooks: 0 })
    // As if our create call had not been answered yet: the row knows no provider id.
    await db().payment.update({
      where: { id: payment.id },
      data: { state: 'created', providerPaymentId: null, checkoutUrl: null },
    })
    await say(payment, { orderId: newId('pay') })
    expect((await send(payment, { times: 1 })).answers).toEqual([202])
    // A hint that nothing vouches for is not even kept.
    expect(await bench.work()).toEqual(signature === 'none' ? [] : [{ outcome: 'unknown_payment', paymentId: null }])
    await say(payment, { orderId: payment.id })
    expect((await send(payment, { times: 1 })).answers).toEqual([202])
    expect(await bench.work()).toEqual([{ outcome: 'credited', paymentId: payment.id }])
    expect(await stateOf(payment.id)).toMatchObject({ state: 'credited', providerPaymentId: expect.any(String) })
  })

  test('a lost webhook heals by reconcile, with one call for many payments', async () => {
    const payments = await Promise.all([bench.topUp(provider), bench.topUp(provider), bench.topUp(provider)])
    for (const payment of payments) await pay(payment, { webhooks: 0 })
    const real = bench.providers.find((each) => each.name === provider)!
    const fetchPayments = vi.fn((refs: readonly PaymentRef[]) => real.fetchPayments(refs))
    const counted = { ...real, fetchPayments }
    const later = new Date(Date.now() + 2 * MINUTE_MS)
    const done = await reconcilePayments({ providers: [counted], now: later })
    expect(done.credited).toBeGreaterThanOrEqual(3)
    expect(fetchPayments.mock.calls.length).toBeLessThanOrEqual(2)
    for (const payment of payments) expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
  })

  test('a repeat a day later is answered and changes nothing', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, {})
    await bench.work()
    await db().$executeRaw(
      Prisma.sql`UPDATE webhook_messages SET received_at = received_at - interval '1 day' WHERE provider_payment_id = ${payment.providerPaymentId}`,
    )
    expect((await send(payment, { times: 1 })).answers).toEqual([202])
    expect(await bench.work()).toEqual([])
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
  })

  test('nothing of the payer is kept anywhere', async () => {
    const payment = await bench.topUp(provider)
    await pay(payment, {})
    await bench.work()
    const [row] = await db().$queryRaw<{ found: bigint }[]>(Prisma.sql`
      SELECT (SELECT count(*) FROM payments t WHERE t::text ~ ${PAYERS}) + (SELECT count(*) FROM payment_events t WHERE t::text ~ ${PAYERS})
        + (SELECT count(*) FROM webhook_messages t WHERE t::text ~ ${PAYERS}) + (SELECT count(*) FROM audit_entries t WHERE t::text ~ ${PAYERS})
        + (SELECT count(*) FROM outbox_jobs t WHERE t::text ~ ${PAYERS}) + (SELECT count(*) FROM outgoing_emails t WHERE t::text ~ ${PAYERS}) AS found`)
    expect(Number(row!.found)).toBe(0)
  })
})

test('a callback through the other provider’s door is refused, and what it says counts for nothing there', async () => {
  const payment = await bench.topUp('fakepay')
  const crypto = await bench.topUp('cryptocloud')
  const doors = await fetch(`${bench.fakes.fakepay!.controlUrl}/invoices`)
  const invoices = (await doors.json()) as { id: string; webhookUrl: string }[]
  const { webhookUrl } = invoices.find((each) => each.id === payment.providerPaymentId)!
  const wrongDoor = webhookUrl.replace('fakepay', 'cryptocloud')
  await bench.control('fakepay', `invoices/${payment.providerPaymentId}`, {
    webhookUrl: wrongDoor,
    state: 'paid',
    paid: '20',
  })
  const { answers } = await bench.control('fakepay', `invoices/${payment.providerPaymentId}/webhook`, { times: 1 })
  expect(answers![0]).toBeGreaterThanOrEqual(400)
  // A genuine word of CryptoCloud about an invoice that carries the id of a Fakepay payment.
  await bench.control('cryptocloud', `invoices/${crypto.providerPaymentId}`, {
    state: 'paid',
    paid: '20',
    orderId: payment.id,
  })
  await bench.control('cryptocloud', `invoices/${crypto.providerPaymentId}/webhook`, { times: 1 })
  await bench.work()
  expect((await stateOf(payment.id)).state).toBe('awaiting')
  expect(await bench.balanceOf(payment.user.id)).toBe(0n)
})

describe('a provider whose callbacks nothing vouches for', () => {
  const hint = (providerPaymentId: string, event: string, over: object = {}) =>
    receiveWebhook(
      'yookassa',
      new Headers({ 'content-type': 'application/json' }),
      Buffer.from(JSON.stringify({ type: 'notification', event, object: { id: providerPaymentId, ...over } })),
      { providers: bench.providers },
    )
  const inbox = () => db().webhookMessage.count({ where: { provider: 'yookassa' } })

  test('a claim that money came credits nothing: the provider is asked', async () => {
    const payment = await bench.topUp('yookassa')
    const claim = { status: 'succeeded', paid: true, amount: { value: '20.00', currency: 'USD' } }
    expect(await hint(payment.providerPaymentId, 'payment.succeeded', claim)).toMatchObject({ ok: true })
    expect(await bench.work()).toEqual([{ outcome: 'waiting', paymentId: payment.id }])
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
  })

  test('hints about payments that are not ours are answered and leave nothing', async () => {
    const before = await inbox()
    const other = await bench.topUp('fakepay')
    for (let sent = 0; sent < 20; sent += 1)
      expect(
        await hint(crypto.randomUUID(), 'payment.succeeded', { metadata: { payment_id: other.id } }),
      ).toMatchObject({
        ok: true,
        value: { messageId: null, isQueued: false },
      })
    expect(await inbox()).toBe(before)
    expect(await bench.work()).toEqual([])
  })

  test('a flood of hints about one payment is one row and one question, and one more fifteen seconds later', async () => {
    const payment = await bench.topUp('yookassa')
    const before = await inbox()
    const flood = () =>
      Promise.all(Array.from({ length: 30 }, () => hint(payment.providerPaymentId, 'payment.succeeded')))
    await flood()
    expect(await bench.work()).toHaveLength(1)
    const { processedAt } = await db().webhookMessage.findFirstOrThrow({
      where: { providerPaymentId: payment.providerPaymentId },
    })
    // Money may come right after the question, so a hint is not dropped; it is asked about later.
    await bench.control('yookassa', `invoices/${payment.providerPaymentId}/pay`, { webhooks: 0 })
    await flood()
    expect(await inbox()).toBe(before + 1)
    const jobs = await db().outboxJob.findMany({ where: { name: 'payments.settle' } })
    expect(jobs.map(({ runAt }) => runAt.getTime() - processedAt!.getTime())).toEqual([15_000])
    expect(await bench.work()).toEqual([{ outcome: 'credited', paymentId: payment.id }])
  })
})

test('a provider without settings has no door', async () => {
  const result = await receiveWebhook('paypal', new Headers(), Buffer.from('{}'), { providers: bench.providers })
  expect(result).toMatchObject({ ok: false, refusal: { code: 'unknown_provider' } })
})

test('a word about an invoice the provider itself does not know is noted', async () => {
  const settled = await settlePayment(
    { provider: 'fakepay', providerPaymentId: 'fpi_none', paymentId: null, messageId: null },
    { provider: bench.providers[0]! },
  )
  expect(settled.outcome).toBe('unknown_to_provider')
})

test('two invoices of one payment, both paid: one is credited, the other waits for a person', async () => {
  const payment = await bench.topUp('cryptocloud')
  const other = await bench.topUp('cryptocloud')
  const paidTwice = { state: 'paid', paid: '20.00' }
  await bench.control('cryptocloud', `invoices/${payment.providerPaymentId}`, paidTwice)
  // As after a create call that timed out and was made again: one row of ours, two invoices of theirs.
  await db().paymentEvent.deleteMany({ where: { paymentId: other.id } })
  await db().payment.deleteMany({ where: { id: other.id } })
  await bench.control('cryptocloud', `invoices/${other.providerPaymentId}`, { ...paidTwice, orderId: payment.id })
  expect((await settle(payment, 'cryptocloud')).outcome).toBe('credited')
  const second = { ...other, id: payment.id }
  expect((await settle(second, 'cryptocloud')).outcome).toBe('second_invoice')
  expect((await settle(second, 'cryptocloud')).outcome).toBe('needs_review')
  const rows = await db().payment.findMany({ where: { userId: payment.user.id }, orderBy: { id: 'asc' } })
  expect(rows.map((row) => [row.state, row.receivedMicros])).toEqual([
    ['credited', 20_000_000n],
    ['needs_review', 20_000_000n],
  ])
  expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
})

test('several payments of one page: the first that brings money is credited, a further one waits for a person', async () => {
  const payment = await bench.topUp('fakepay')
  const pageId = payment.providerPaymentId
  const truth: Truth = {
    providerPaymentId: pageId,
    paymentId: payment.id,
    state: 'awaiting',
    receivedMicros: 0n,
    requestedMicros: 20_000_000n,
    currency: 'USD',
    isTest: true,
  }
  // An attempt that brought nothing leaves the page's id in its place.
  expect((await settleWithTruth({ name: 'fakepay' }, truth, { messageId: null })).outcome).toBe('waiting')
  const paid: Truth = { ...truth, state: 'paid', checkoutId: pageId, receivedMicros: 20_000_000n }
  const settled = await Promise.all(
    [`${pageId}-a`, `${pageId}-b`, `${pageId}-a`].map((providerPaymentId) =>
      settleWithTruth({ name: 'fakepay' }, { ...paid, providerPaymentId }, { messageId: null }),
    ),
  )
  expect(settled.filter((each) => each.outcome === 'credited')).toHaveLength(1)
  expect(settled.filter((each) => each.outcome === 'second_invoice').length).toBeGreaterThanOrEqual(1)
  expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
  const rows = await db().payment.findMany({ where: { userId: payment.user.id }, orderBy: { id: 'asc' } })
  expect(rows.map((row) => row.state)).toEqual(['credited', 'needs_review'])
  expect(rows.map((row) => row.providerPaymentId).sort()).toEqual([`${pageId}-a`, `${pageId}-b`])
  // A word about the page itself, later, is no money and changes nothing.
  expect(
    (await settleWithTruth({ name: 'fakepay' }, { ...truth, state: 'expired' }, { messageId: null })).outcome,
  ).toBe('already_credited')
})

describe('starting', () => {
  const start = async (
    over: Partial<{ provider: string; amountMicros: bigint; requestKey: string }> = {},
    user = insertCustomer(),
  ) =>
    startTopUp(
      { id: (await user).id, locale: 'ru' },
      { provider: 'fakepay', amountMicros: 20_000_000n, requestKey: newId('req'), ...over },
      { providers: bench.providers },
    )

  test.each([
    [{ amountMicros: 0n }, 'amount_out_of_range'],
    [{ amountMicros: -20_000_000n }, 'amount_out_of_range'],
    [{ amountMicros: 990_000n }, 'amount_out_of_range'],
    [{ amountMicros: 10_000_010_000n }, 'amount_out_of_range'],
    [{ amountMicros: 10n ** 30n }, 'amount_out_of_range'],
    [{ amountMicros: 20_001_000n }, 'amount_not_whole_cents'],
    [{ provider: 'paypal' }, 'unknown_provider'],
    [{ provider: '__proto__' }, 'unknown_provider'],
  ])('%o is refused: %s', async (over, code) => {
    expect(await start(over)).toMatchObject({ ok: false, refusal: { code } })
  })

  test('a double click, also at once, is one payment with one page', async () => {
    const user = await insertCustomer()
    const requestKey = newId('req')
    const started = await Promise.all(
      Array.from({ length: 6 }, () => start({ requestKey, provider: 'cryptocloud' }, Promise.resolve(user))),
    )
    expect(new Set(started.map((each) => each.ok && each.value.checkoutUrl)).size).toBe(1)
    expect(await db().payment.count({ where: { userId: user.id } })).toBe(1)
    const other = await start({ requestKey, amountMicros: 30_000_000n }, Promise.resolve(user))
    expect(other).toMatchObject({ refusal: { code: 'request_key_reused' } })
  })

  test('twenty open payments are the limit, also when asked for at once', async () => {
    const user = await insertCustomer()
    const started = await Promise.all(Array.from({ length: 25 }, () => start({}, Promise.resolve(user))))
    expect(started.filter((each) => each.ok)).toHaveLength(20)
    expect(await start({}, Promise.resolve(user))).toMatchObject({ refusal: { code: 'too_many_open_payments' } })
    const first = await listPayments({ userId: user.id })
    expect(first.rows).toHaveLength(20)
    expect(first.nextBefore).toBeNull()
  })

  test.each(PAYMENT_STANDS)(
    '$name down: the payment stays and the same click works later',
    async ({ name: provider, path }) => {
      const user = await insertCustomer()
      const requestKey = newId('req')
      await bench.control(provider, 'fail', { times: 1, match: path, method: 'POST', status: 500, after: true })
      const first = await start({ provider, requestKey }, Promise.resolve(user))
      expect(first).toMatchObject({ ok: false, refusal: { code: 'provider_unavailable' } })
      const second = await start({ provider, requestKey }, Promise.resolve(user))
      expect(second).toMatchObject({ ok: true, value: { state: 'awaiting' } })
      const { id } = await db().payment.findFirstOrThrow({ where: { userId: user.id } })
      expect(await eventsOf(id)).toEqual(['created', 'provider_unavailable', 'awaiting'])
    },
  )
})

describe('reconcile', () => {
  test('looks again after growing gaps and stops two days after expiry', async () => {
    const payment = await bench.topUp('fakepay')
    let at = Date.now() + MINUTE_MS + 1000
    const gaps: number[] = []
    for (let look = 0; look < 6; look += 1) {
      await reconcilePayments({ providers: [bench.providers[0]!], now: new Date(at) })
      const next = (await stateOf(payment.id)).nextCheckAt!.getTime()
      gaps.push(Math.round((next - at) / MINUTE_MS))
      at = next
    }
    expect(gaps).toEqual([2, 5, 15, 60, 60, 60])
    const { expiresAt } = await stateOf(payment.id)
    const end = new Date(expiresAt!.getTime() + 49 * HOUR_MS)
    await reconcilePayments({ providers: [bench.providers[0]!], now: end })
    expect((await stateOf(payment.id)).nextCheckAt).toBeNull()
  })

  test('a provider that is down does not cost a look and does not stop the other', async () => {
    const payment = await bench.topUp('fakepay')
    const crypto = await bench.topUp('cryptocloud')
    await bench.control('cryptocloud', `invoices/${crypto.providerPaymentId}/pay`, { webhooks: 0 })
    await bench.control('fakepay', 'fail', { times: 1, match: 'invoices', status: 502 })
    const now = new Date(Date.now() + 2 * MINUTE_MS)
    const done = await reconcilePayments({ providers: bench.providers, now })
    expect(done.unavailable).toEqual(['fakepay'])
    expect(await stateOf(payment.id)).toMatchObject({ checks: 0, nextCheckAt: new Date(now.getTime() + MINUTE_MS) })
    expect((await stateOf(crypto.id)).state).toBe('credited')
  })

  test('a payment the provider has nothing to say about is closed an hour after its page ended, and heeded when it speaks', async () => {
    const payment = await bench.topUp('fakepay')
    const { expiresAt } = await stateOf(payment.id)
    const silent = { ...bench.providers[0]!, fetchPayments: () => Promise.resolve([]) }
    const at = (minutes: number) => new Date(expiresAt!.getTime() + minutes * MINUTE_MS)
    await reconcilePayments({ providers: [silent], now: at(-10) })
    expect((await stateOf(payment.id)).state).toBe('awaiting')
    await reconcilePayments({ providers: [silent], now: at(61) })
    expect(await stateOf(payment.id)).toMatchObject({ state: 'expired', nextCheckAt: expect.any(Date) })
    await bench.control('fakepay', `invoices/${payment.providerPaymentId}/pay`, { webhooks: 0 })
    expect((await settle(payment, 'fakepay')).outcome).toBe('credited')
  })

  test('a create call that was never answered: found by our id, or closed after two hours', async () => {
    const user = await insertCustomer()
    await bench.control('fakepay', 'fail', { times: 1, match: 'invoices', status: 500, after: true })
    await bench.control('cryptocloud', 'fail', { times: 1, match: 'invoice', status: 500, after: false })
    for (const provider of ['fakepay', 'cryptocloud'])
      await startTopUp(
        { id: user.id, locale: 'en' },
        { provider, amountMicros: 5_000_000n, requestKey: newId('req') },
        { providers: bench.providers },
      )
    await reconcilePayments({ providers: bench.providers, now: new Date(Date.now() + 3 * HOUR_MS) })
    const rows = await db().payment.findMany({ where: { userId: user.id }, orderBy: { provider: 'asc' } })
    expect(rows.map((row) => [row.provider, row.state, row.providerPaymentId !== null])).toEqual([
      ['cryptocloud', 'expired', false],
      ['fakepay', 'awaiting', true],
    ])
  })
})

test('any order of words, repeats and settles credits a paid payment exactly once, with the confirmed amount', async () => {
  const word = fc.record({
    state: fc.constantFrom('awaiting', 'confirming', 'underpaid', 'expired', 'cancelled', 'paid'),
    cents: fc.integer({ min: 0, max: 1_999 }),
    isTogether: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { maxLength: 6 }),
      fc.integer({ min: 2_000, max: 9_000 }),
      fc.array(word, { maxLength: 4 }),
      async (before, paidCents, after) => {
        const payment = await bench.topUp('fakepay')
        const truth = (state: Truth['state'], cents: number): Truth => ({
          providerPaymentId: payment.providerPaymentId,
          paymentId: payment.id,
          state,
          receivedMicros: BigInt(cents) * 10_000n,
          requestedMicros: 20_000_000n,
          currency: 'USD',
          isTest: true,
        })
        const tell = async (words: typeof before): Promise<void> => {
          const together: Promise<unknown>[] = []
          for (const { state, cents, isTogether } of words) {
            const told = settleWithTruth({ name: 'fakepay' }, truth(state as Truth['state'], cents), {
              messageId: null,
            })
            if (isTogether) together.push(told)
            else await told
          }
          await Promise.all(together)
        }
        await tell(before)
        expect(await transfersOf(payment.id)).toBe(0)
        const final = truth('paid', paidCents)
        await Promise.all([
          settleWithTruth({ name: 'fakepay' }, final, { messageId: null }),
          settleWithTruth({ name: 'fakepay' }, final, { messageId: null }),
          tell(after),
        ])
        expect(await stateOf(payment.id)).toMatchObject({ state: 'credited', creditedMicros: final.receivedMicros })
        expect(await bench.balanceOf(payment.user.id)).toBe(final.receivedMicros)
        expect(await transfersOf(payment.id)).toBe(1)
        expect((await eventsOf(payment.id)).at(-1)).toBe('credited')
      },
    ),
    { numRuns: 40 },
  )
})
