import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { checkBooks } from '@/lib/admin'
import { SYSTEM } from '@/lib/audit'
import { db, Prisma } from '@/lib/db'
import { PAYMENT_STANDS, type PaymentStand } from '@/test/payment-stands'
import { type PaymentsBench, startPaymentsBench } from '@/test/payments-bench'
import { newId } from '@/lib/kit'
import { decideReview } from './decide-review'
import type { ReviewReason } from './decide-settlement'
import { paymentRules } from './rules'
import { statusOf, type PaymentState, type PaymentStatus } from './states'

/** The shop in production, where test money is none; everything else stays as it is. */
const mode = vi.hoisted(() => ({ isProduction: false }))
vi.mock('@/lib/env', async (original) => {
  const real = await original<typeof import('@/lib/env')>()
  return { ...real, env: () => (mode.isProduction ? { ...real.env(), SLUICE_MODE: 'production' } : real.env()) }
})

/** What happens at the provider, told by its control API, or a callback that it sends. */
type Step =
  | { say: Record<string, unknown> }
  | { callback: { times?: number; concurrently?: boolean; forged?: boolean } }
  | { back: 'refund' | 'dispute' }
  | 'work'
type Odd = {
  name: string
  /** The provider's truth and its callbacks, in their order; null where this vendor knows no such case. */
  steps: (stand: PaymentStand) => Step[] | null
  /** What people read of the payment afterwards, and what is on the balance, in dollars. Twenty are asked for. */
  after: PaymentStatus
  credit: string
  inProduction?: true
  /** Why money beside it waits for a person, as a payment of its own. */
  beside?: ReviewReason
}

const once: Step = { callback: { times: 1 } }
const paid = (stand: PaymentStand, amount: string): Step => ({ say: { state: stand.words.paid, paid: amount } })

const ODD_CASES: readonly Odd[] = [
  { name: 'exactly paid', steps: (stand) => [paid(stand, '20.00'), once], after: 'credited', credit: '20.00' },
  {
    name: 'told twenty times at once',
    steps: (stand) => [paid(stand, '20.00'), { callback: { times: 20, concurrently: true } }],
    after: 'credited',
    credit: '20.00',
  },
  {
    name: 'told again after it was credited',
    steps: (stand) => [paid(stand, '20.00'), once, 'work', once, 'work', once],
    after: 'credited',
    credit: '20.00',
  },
  { name: 'overpaid', steps: (stand) => [paid(stand, '25.00'), once], after: 'overpaid', credit: '25.00' },
  {
    name: 'called paid with less',
    steps: (stand) => [paid(stand, '15.00'), once],
    after: 'needs_review',
    credit: '0.00',
  },
  {
    name: 'a part came, the rest may follow',
    steps: ({ words }) => (words.underpaid ? [{ say: { state: words.underpaid, paid: '5.00' } }, once] : null),
    after: 'underpaid',
    credit: '0.00',
  },
  {
    name: 'a part, then the rest',
    steps: (stand) =>
      stand.words.underpaid
        ? [{ say: { state: stand.words.underpaid, paid: '5.00' } }, once, 'work', paid(stand, '20.00'), once]
        : null,
    after: 'credited',
    credit: '20.00',
  },
  {
    name: 'expired without money',
    steps: ({ words }) => [{ say: { state: words.expired } }, once],
    after: 'expired',
    credit: '0.00',
  },
  {
    name: 'late: paid after it had expired',
    steps: (stand) => [{ say: { state: stand.words.expired } }, once, 'work', paid(stand, '20.00'), once],
    after: 'credited',
    credit: '20.00',
  },
  {
    name: 'the word "expired" after the credit',
    steps: (stand) => [paid(stand, '20.00'), once, 'work', { say: { state: stand.words.expired } }, once],
    after: 'credited',
    credit: '20.00',
  },
  {
    name: 'money that was seen and never confirmed',
    steps: ({ rejected }) => (rejected ? [{ say: { state: rejected, paid: '20.00' } }, once] : null),
    after: 'needs_review',
    credit: '0.00',
  },
  {
    name: 'seen and not confirmed, then confirmed all the same',
    steps: (stand) =>
      stand.rejected
        ? [{ say: { state: stand.rejected, paid: '20.00' } }, once, 'work', paid(stand, '20.00'), once]
        : null,
    after: 'credited',
    credit: '20.00',
  },
  {
    name: 'more for an invoice that was credited',
    steps: (stand) =>
      stand.more ? [paid(stand, '20.00'), once, 'work', { say: { state: stand.more, paid: '25.00' } }, once] : null,
    after: 'credited',
    credit: '20.00',
    beside: 'redeposit',
  },
  {
    name: 'given back at the vendor’s desk, told three times',
    steps: (stand) => {
      const { refund } = stand.goesBack
      if (!refund) return null
      const back: Step = refund === 'control' ? { back: 'refund' } : { say: refund }
      return [paid(stand, '20.00'), once, 'work', back, { callback: { times: 3, concurrently: true } }]
    },
    after: 'refunded',
    credit: '0.00',
  },
  {
    name: 'taken back by the payer’s bank, told three times',
    steps: (stand) =>
      stand.goesBack.hasDisputes
        ? [paid(stand, '20.00'), once, 'work', { back: 'dispute' }, { callback: { times: 3, concurrently: true } }]
        : null,
    after: 'disputed',
    credit: '0.00',
  },
  {
    name: 'test money in production',
    inProduction: true,
    steps: (stand) => (stand.testFlag ? [{ say: { [stand.testFlag]: true } }, paid(stand, '20.00'), once] : null),
    after: 'needs_review',
    credit: '0.00',
  },
  {
    name: 'real money in production',
    inProduction: true,
    steps: (stand) => (stand.testFlag ? [{ say: { [stand.testFlag]: false } }, paid(stand, '20.00'), once] : null),
    after: 'credited',
    credit: '20.00',
  },
  {
    name: 'in another currency',
    steps: (stand) => [{ say: { state: stand.words.paid, paid: '20.00', currency: 'EUR' } }, once],
    after: 'needs_review',
    credit: '0.00',
  },
  {
    name: 'a forged callback about money that never came',
    steps: ({ signature }) => (signature === 'none' ? null : [{ callback: { forged: true, times: 3 } }]),
    after: 'awaiting',
    credit: '0.00',
  },
  {
    name: 'a genuine callback, and the provider does not confirm',
    steps: () => [once],
    after: 'awaiting',
    credit: '0.00',
  },
]

let bench: PaymentsBench
beforeAll(async () => {
  bench = await startPaymentsBench()
  await paymentRules.save(SYSTEM, {
    underpaid: 'wait',
    late: 'credit',
    redeposit: 'wait',
    firstTopUpMaxMicros: null,
    dailyMaxMicros: null,
    maxOpenPayments: 20,
  })
})
afterAll(async () => {
  const { findings } = await checkBooks()
  await bench.close()
  expect(findings).toEqual([])
})

const rows = PAYMENT_STANDS.flatMap((stand) =>
  ODD_CASES.flatMap((odd) => {
    const steps = odd.steps(stand)
    return steps ? [{ provider: stand.name, ...odd, steps }] : []
  }),
)

describe('odd cases', () => {
  test.each(rows)(
    '$provider: $name → $after, $credit',
    async ({ provider, steps, after, credit, inProduction, beside }) => {
      const payment = await bench.topUp(provider)
      const path = `invoices/${payment.providerPaymentId}`
      mode.isProduction = inProduction === true
      for (const step of steps) {
        if (step === 'work') await bench.work()
        else if ('say' in step) await bench.control(provider, path, step.say)
        else if ('back' in step) await bench.control(provider, `${path}/${step.back}`, { webhooks: 0 })
        else await bench.control(provider, `${path}/webhook`, step.callback)
      }
      await bench.work()
      mode.isProduction = false
      const row = await db().payment.findUniqueOrThrow({ where: { id: payment.id } })
      expect(statusOf({ ...row, state: row.state as PaymentState })).toBe(after)
      expect(await bench.balanceOf(payment.user.id)).toBe(BigInt(credit.replace('.', '')) * 10_000n)
      const others = await db().payment.findMany({ where: { userId: payment.user.id, id: { not: payment.id } } })
      expect(others.map((each) => [each.state, each.reviewReason])).toEqual(beside ? [['needs_review', beside]] : [])
    },
  )

  test('nowpayments: a deposit repeated later is worth what came, and waits for a person', async () => {
    const payment = await bench.topUp('nowpayments')
    const path = `invoices/${payment.providerPaymentId}`
    await bench.control('nowpayments', `${path}/pay`)
    await bench.work()
    const { id } = await bench.control('nowpayments', `${path}/redeposit`, { amount: '3.00' })
    await bench.control('nowpayments', `invoices/${String(id)}/webhook`, { times: 3, concurrently: true })
    await bench.work()
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
    const others = await db().payment.findMany({ where: { userId: payment.user.id, id: { not: payment.id } } })
    expect(others).toMatchObject([{ reviewReason: 'second_invoice', receivedMicros: 3_000_000n }])
    const decision = { paymentId: others[0]!.id, decision: 'credit_received' as const, reason: 'their second deposit' }
    expect((await decideReview({ id: newId('usr') }, decision)).ok).toBe(true)
    await bench.work()
    expect(await bench.balanceOf(payment.user.id)).toBe(23_000_000n)
  })

  test.each(PAYMENT_STANDS)('$name: a question that fails leaves the payment waiting, and heals', async (stand) => {
    const payment = await bench.topUp(stand.name)
    const path = `invoices/${payment.providerPaymentId}`
    await bench.control(stand.name, path, { state: stand.words.paid, paid: '20.00' })
    await bench.control(stand.name, `${path}/webhook`, { times: 1 })
    await bench.control(stand.name, 'fail', { times: 5, match: stand.path, status: 503 })
    const jobs = await db().$queryRaw<{ payload: Prisma.JsonValue }[]>(
      Prisma.sql`SELECT payload FROM outbox_jobs WHERE name = 'payments.settle'`,
    )
    await expect(bench.work()).rejects.toThrow(stand.name)
    expect(await bench.balanceOf(payment.user.id)).toBe(0n)
    expect((await db().payment.findUniqueOrThrow({ where: { id: payment.id } })).state).toBe('awaiting')
    // The queue keeps a job that failed; here it is promised anew.
    await bench.control(stand.name, 'reset')
    for (const { payload } of jobs)
      await db().outboxJob.create({ data: { name: 'payments.settle', payload: payload as Prisma.InputJsonObject } })
    await bench.work()
    expect(await bench.balanceOf(payment.user.id)).toBe(20_000_000n)
    expect(await db().payment.count({ where: { id: payment.id, state: 'credited' } })).toBe(1)
  })
})

test('who paid is kept as a digest where the vendor tells it: two customers of one payer share it, and nothing of it can be read', async () => {
  for (const provider of ['stripe', 'cryptomus']) {
    const stand = PAYMENT_STANDS.find(({ name }) => name === provider)!
    const owners: string[] = []
    for (let count = 0; count < 2; count += 1) {
      const payment = await bench.topUp(provider)
      const path = `invoices/${payment.providerPaymentId}`
      await bench.control(provider, path, { state: stand.words.paid, paid: '20.00' })
      await bench.control(provider, `${path}/webhook`, { times: 2 })
      await bench.work()
      owners.push(payment.user.id)
    }
    const marks = await db().personMark.findMany({ where: { userId: { in: owners }, kind: 'payer' } })
    expect(marks.map((mark) => mark.userId).sort(), provider).toEqual(owners.sort())
    expect(new Set(marks.map((mark) => mark.digest)).size).toBe(1)
    expect(marks[0]!.digest).toMatch(/^[\w-]{43}$/)
  }
})

test('every provider has a row for what every provider can do', () => {
  for (const stand of PAYMENT_STANDS)
    expect(rows.filter((row) => row.provider === stand.name).length, stand.name).toBeGreaterThan(9)
})
