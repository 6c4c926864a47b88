import { db, inTransaction, Prisma } from '@/lib/db'
import { accepted, newId } from '@/lib/kit'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { giveMoney, insertCustomer } from '@/test/factories/customer'
import {
  checkRules,
  getBalance,
  holdMoney,
  LEDGER_RULES,
  listStatement,
  postTransfer,
  reverseTransfer,
  settleHold,
} from './index'

const at = new Date()
const balanceOf = (userId: string) => ({ owner: userId, kind: 'customer_balance' as const, currency: 'USD' })
const clearing = { owner: 'shop' as const, kind: 'provider_clearing:test' as const, currency: 'USD' }
const adjustments = { owner: 'shop' as const, kind: 'adjustments' as const, currency: 'USD' }
const revenue = 'revenue:test' as const

function post(
  key: string,
  from: Parameters<typeof postTransfer>[1]['from'],
  to: Parameters<typeof postTransfer>[1]['to'],
  amountMicros: bigint,
) {
  return inTransaction((tx) =>
    postTransfer(tx, { key, from, to, amountMicros, source: { kind: 'adjustment', id: 'x' }, happenedAt: at }),
  )
}

afterAll(async () => {
  expect((await checkRules(LEDGER_RULES)).findings).toEqual([])
})

describe('a posting', () => {
  it('moves money once per key: the same again is the first one, with other content it is refused', async () => {
    const { id } = await insertCustomer()
    const key = `test:${newId('req')}`
    const first = await post(key, clearing, balanceOf(id), 5_000_000n)
    const again = await post(key, clearing, balanceOf(id), 5_000_000n)
    const other = await post(key, clearing, balanceOf(id), 6_000_000n)
    expect(first).toMatchObject({ ok: true, value: { isRepeat: false } })
    expect(again).toEqual({ ok: true, value: { transferId: first.ok && first.value.transferId, isRepeat: true } })
    expect(other).toMatchObject({ ok: false, refusal: { code: 'key_reused' } })
    expect((await getBalance({ userId: id })).balanceMicros).toBe(5_000_000n)
  })

  it('credits once when twenty equal ones come at once', async () => {
    const { id } = await insertCustomer()
    const key = `test:${newId('req')}`
    const results = await Promise.all(Array.from({ length: 20 }, () => post(key, clearing, balanceOf(id), 1_000_000n)))
    expect(results.filter((result) => result.ok && !result.value.isRepeat)).toHaveLength(1)
    expect((await getBalance({ userId: id })).balanceMicros).toBe(1_000_000n)
  })

  it('never takes a customer below zero, and leaves nothing behind when it refuses', async () => {
    const { id } = await insertCustomer({ balanceMicros: 3_000_000n })
    const before = await db().ledgerTransfer.count()
    expect(await post(`test:${newId('req')}`, balanceOf(id), clearing, 3_000_001n)).toMatchObject({
      refusal: { code: 'insufficient_balance' },
    })
    expect(await db().ledgerTransfer.count()).toBe(before)
    const results = await Promise.all(
      Array.from({ length: 10 }, () => post(`test:${newId('req')}`, balanceOf(id), clearing, 1_000_000n)),
    )
    expect(results.filter((result) => result.ok)).toHaveLength(3)
  })

  it('between two customers in both directions at once ends without a deadlock', async () => {
    const a = await insertCustomer({ balanceMicros: 10_000_000n })
    const b = await insertCustomer({ balanceMicros: 10_000_000n })
    const moves = Array.from({ length: 30 }, (_, index) =>
      index % 2
        ? post(`test:${newId('req')}`, balanceOf(a.id), balanceOf(b.id), 100n)
        : post(`test:${newId('req')}`, balanceOf(b.id), balanceOf(a.id), 100n),
    )
    expect((await Promise.all(moves)).every((move) => move.ok)).toBe(true)
  })

  it('is undone with the transaction of its reason', async () => {
    const { id } = await insertCustomer()
    await expect(
      inTransaction(async (tx) => {
        await postTransfer(tx, {
          key: `test:${id}`,
          from: clearing,
          to: balanceOf(id),
          amountMicros: 1n,
          source: { kind: 'payment', id },
          happenedAt: at,
        })
        throw new Error('killed in the middle')
      }),
    ).rejects.toThrow('killed')
    expect((await getBalance({ userId: id })).balanceMicros).toBe(0n)
  })
})

describe('a reversal', () => {
  it('takes a transfer back once, names it, and cannot be taken back by another key', async () => {
    const { id } = await insertCustomer()
    const first = await post(`test:${newId('req')}`, clearing, balanceOf(id), 2_000_000n)
    const transferId = first.ok ? first.value.transferId : ''
    const reverse = (key: string) => inTransaction((tx) => reverseTransfer(tx, { key, transferId, happenedAt: at }))
    const results = await Promise.all([
      reverse(`reversal:${transferId}`),
      reverse(`reversal:${transferId}`),
      reverse('reversal:other'),
    ])
    expect(results.filter((result) => result.ok && !result.value.isRepeat)).toHaveLength(1)
    expect((await getBalance({ userId: id })).balanceMicros).toBe(0n)
    expect(await reverse('reversal:third')).toMatchObject({ refusal: { code: 'already_reversed' } })
  })

  it('is refused when the money has been spent', async () => {
    const { id } = await insertCustomer()
    const first = await post(`test:${newId('req')}`, clearing, balanceOf(id), 2_000_000n)
    await post(`test:${newId('req')}`, balanceOf(id), clearing, 1n)
    const transferId = first.ok ? first.value.transferId : ''
    expect(
      await inTransaction((tx) => reverseTransfer(tx, { key: `reversal:${transferId}`, transferId, happenedAt: at })),
    ).toMatchObject({
      refusal: { code: 'insufficient_balance' },
    })
  })
})

describe('a hold', () => {
  const hold = (userId: string, id: string, amountMicros: bigint) =>
    inTransaction((tx) => holdMoney(tx, { id, userId, amountMicros, currency: 'USD', happenedAt: at }))
  const settle = (id: string, capturedMicros: bigint) =>
    inTransaction((tx) => settleHold(tx, { id, capturedMicros, captureTo: revenue, happenedAt: at }))

  it('sets money aside, takes a part and returns the rest, once', async () => {
    const { id: userId } = await insertCustomer({ balanceMicros: 10_000_000n })
    const id = newId('req')
    expect(await hold(userId, id, 9_000_000n)).toEqual(accepted(null))
    expect(await hold(userId, id, 9_000_000n)).toEqual(accepted(null))
    expect(await hold(userId, id, 8_000_000n)).toMatchObject({ refusal: { code: 'key_reused' } })
    expect(await getBalance({ userId })).toEqual({
      balanceMicros: 1_000_000n,
      giftMicros: 1_000_000n,
      heldMicros: 9_000_000n,
      owedMicros: 0n,
      currency: 'USD',
    })
    expect(await settle(id, 9_000_001n)).toMatchObject({ refusal: { code: 'more_than_held' } })
    const ends = await Promise.all([settle(id, 6_000_000n), settle(id, 6_000_000n), settle(id, 0n)])
    expect(ends.filter((end) => end.ok && !end.value.isRepeat)).toHaveLength(1)
    expect((await getBalance({ userId })).heldMicros).toBe(0n)
    expect(await settle(newId('req'), 1n)).toMatchObject({ refusal: { code: 'not_found' } })
  })

  it('more than the balance is refused', async () => {
    const { id: userId } = await insertCustomer({ balanceMicros: 10n })
    expect(await hold(userId, newId('req'), 11n)).toMatchObject({ refusal: { code: 'insufficient_balance' } })
  })
})

it('the statement tells every movement with the balance after it, page by page, without a gap', async () => {
  const { id: userId } = await insertCustomer()
  for (let index = 1; index <= 7; index += 1) await giveMoney(userId, BigInt(index))
  const first = await listStatement({ userId, limit: 4 })
  const second = await listStatement({ userId, limit: 4, before: first.nextBefore! })
  const lines = [...first.lines, ...second.lines]
  expect(lines.map((line) => line.amountMicros)).toEqual([7n, 6n, 5n, 4n, 3n, 2n, 1n])
  expect(lines.map((line) => line.balanceAfterMicros)).toEqual([28n, 21n, 15n, 10n, 6n, 3n, 1n])
  expect(second.nextBefore).toBeNull()
  expect(lines[0]).toMatchObject({ cause: 'adjustment', sourceKind: 'adjustment' })
})

describe('the database itself refuses', () => {
  it.each([
    ['to change an entry', `UPDATE ledger_entries SET amount_micros = amount_micros + 1`],
    ['to remove an entry', `DELETE FROM ledger_entries`],
    ['to empty the entries', `TRUNCATE ledger_entries CASCADE`],
    ['to change a transfer', `UPDATE ledger_transfers SET amount_micros = 1`],
    ['a balance below zero', `UPDATE ledger_accounts SET balance_micros = -1 WHERE is_guarded`],
    ['a balance on a system account', `UPDATE ledger_accounts SET balance_micros = 1 WHERE NOT is_guarded`],
    ['to remove an account', `DELETE FROM ledger_accounts`],
    ['to undo a hold', `UPDATE ledger_holds SET captured_micros = captured_micros - 1`],
    ['to change an audit entry', `UPDATE audit_entries SET action = 'x'`],
  ])('%s', async (_, sql) => {
    await db().auditEntry.create({
      data: { id: newId('aud'), actorKind: 'system', action: 'test', subjectKind: 'test', subjectId: 'x' },
    })
    const { id: userId } = await insertCustomer({ balanceMicros: 10n })
    await inTransaction((tx) =>
      holdMoney(tx, { id: newId('req'), userId, amountMicros: 1n, currency: 'USD', happenedAt: at }),
    )
    await expect(db().$executeRaw(Prisma.raw(sql))).rejects.toThrow()
  })
})

describe('the rules find what is off', () => {
  it('a balance that was changed past the ledger', async () => {
    const { id } = await insertCustomer({ balanceMicros: 5n })
    const findings = await db()
      .$transaction(async (tx) => {
        await tx.ledgerAccount.updateMany({ where: { owner: id }, data: { balanceMicros: 6n } })
        const broken: string[] = []
        for (const { rule, sql } of LEDGER_RULES) {
          const rows = await tx.$queryRaw<unknown[]>(Prisma.raw(sql))
          if (rows.length > 0) broken.push(rule)
        }
        throw Object.assign(new Error('rolled back on purpose'), { broken })
      })
      .catch((error: { broken?: string[] }) => error.broken)
    expect(findings).toEqual([
      'a guarded account’s balance and version are those of its last entry',
      'a guarded account’s balance is the sum of its entries, all of which are in its chain',
    ])
  })
})

describe('a gift: money on a balance that did not come from outside', () => {
  const pending = { owner: 'shop' as const, kind: 'refunds_pending' as const, currency: 'USD' }
  const shown = async (userId: string) => {
    const { balanceMicros, giftMicros } = await getBalance({ userId })
    return [balanceMicros, giftMicros]
  }
  async function person(outside: bigint, gift: bigint) {
    const { id } = await insertCustomer()
    if (outside) await post(`test:${newId('req')}`, clearing, balanceOf(id), outside)
    if (gift) await post(`test:${newId('req')}`, adjustments, balanceOf(id), gift)
    return id
  }
  const hold = (id: string, userId: string, amountMicros: bigint) =>
    inTransaction((tx) => holdMoney(tx, { id, userId, amountMicros, currency: 'USD', happenedAt: at }))

  it('is spent first, and what returns of a hold is a gift again', async () => {
    const id = await person(10n, 4n)
    const order = newId('ord')
    await hold(order, id, 6n)
    expect(await shown(id)).toEqual([8n, 0n])
    await inTransaction((tx) => settleHold(tx, { id: order, capturedMicros: 3n, captureTo: revenue, happenedAt: at }))
    // Three were paid by the gift; the fourth of it and two from outside are back.
    expect(await shown(id)).toEqual([11n, 1n])
    expect(await db().ledgerHold.findUnique({ where: { id: order } })).toMatchObject({
      giftMicros: 4n,
      capturedGiftMicros: 3n,
    })
  })

  it('does not leave to a payment’s source, and is the last to go elsewhere', async () => {
    const id = await person(10n, 4n)
    expect(await post(`test:${newId('req')}`, balanceOf(id), pending, 11n)).toMatchObject({
      refusal: { code: 'insufficient_balance' },
    })
    expect(await post(`test:${newId('req')}`, balanceOf(id), clearing, 12n)).toMatchObject({ ok: true })
    expect(await shown(id)).toEqual([2n, 2n])
  })

  it('is what goes when a gift is taken back, and no more of it than there is', async () => {
    const id = await person(10n, 4n)
    const takeBack = (amount: bigint) =>
      db()
        .$queryRaw(Prisma.sql`SELECT outcome FROM ledger_post(${newId('req')}, ledger_account(${id}, 'customer_balance', 'USD'),
        ledger_account('shop', 'promotions', 'USD'), ${amount}, 'USD', 'promotion', 'x', NULL, ${at}, ${amount})`)
    await takeBack(3n)
    expect(await shown(id)).toEqual([11n, 1n])
    await takeBack(3n)
    expect(await shown(id)).toEqual([8n, 0n])
  })

  it('a posting that is taken back gives back what it took: the gift as a gift', async () => {
    const id = await person(10n, 4n)
    const taken = await post(`test:${newId('req')}`, balanceOf(id), adjustments, 12n)
    expect(await shown(id)).toEqual([2n, 2n])
    const transferId = taken.ok ? taken.value.transferId : ''
    await inTransaction((tx) => reverseTransfer(tx, { key: `test:${newId('req')}`, transferId, happenedAt: at }))
    expect(await shown(id)).toEqual([14n, 4n])
  })

  it('many charges at once take each customer’s gifts in order', async () => {
    const id = await person(10n, 4n)
    const other = await person(5n, 0n)
    const charges = [id, id, other, id].map((owner, n) => ({
      key: `test:${newId('req')}`,
      owner,
      amount: [3, 3, 2, 90][n],
      toKind: revenue,
      sourceKind: 'order',
      sourceId: 'x',
    }))
    await db().$queryRaw(Prisma.sql`SELECT * FROM ledger_charge_many(${JSON.stringify(charges)}::jsonb, 'USD', ${at})`)
    expect(await shown(id)).toEqual([8n, 0n])
    expect(await shown(other)).toEqual([3n, 0n])
    const entries = await db().ledgerEntry.findMany({
      where: { transfer: { key: { in: charges.map(({ key }) => key) } }, giftMicros: { not: null } },
      orderBy: { accountVersion: 'asc' },
      select: { amountMicros: true, giftMicros: true },
    })
    expect(entries.filter((entry) => entry.amountMicros === -3n).map((entry) => entry.giftMicros)).toEqual([-3n, -1n])
  })
})

type Step =
  | { do: 'credit'; who: number; amount: bigint; isGift: boolean; key: number }
  | { do: 'move'; who: number; to: number; amount: bigint; key: number }
  | { do: 'hold'; who: number; amount: bigint; key: number }
  | { do: 'settle'; part: number; key: number }
  | { do: 'reverse'; key: number }

const who = fc.integer({ min: 0, max: 2 })
const amount = fc.bigInt({ min: 1n, max: 50n })
const key = fc.integer({ min: 0, max: 12 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ do: fc.constant('credit' as const), who, amount, isGift: fc.boolean(), key }),
  fc.record({ do: fc.constant('move' as const), who, to: who, amount, key }),
  fc.record({ do: fc.constant('hold' as const), who, amount, key }),
  fc.record({ do: fc.constant('settle' as const), part: fc.integer({ min: 0, max: 100 }), key }),
  fc.record({ do: fc.constant('reverse' as const), key }),
)

/**
 * Random steps with few keys, so that repeats, reuse, double settlements and reversals of spent money all come up. Run one after the other they
 * are compared with a model; run all at once they must still keep every rule of the books.
 */
describe('any sequence of postings', () => {
  async function makeWorld() {
    const people = await Promise.all([insertCustomer(), insertCustomer(), insertCustomer()])
    const world = newId('req')
    const transfers = new Map<string, string>()
    const take = async (each: Step): Promise<unknown> => {
      const name = `${world}:${each.key}`
      switch (each.do) {
        case 'credit':
        case 'move': {
          const from = each.do === 'credit' ? (each.isGift ? adjustments : clearing) : balanceOf(people[each.who]!.id)
          const to = balanceOf(people[each.do === 'credit' ? each.who : each.to]!.id)
          if (from.owner === to.owner) return null
          const posted = await post(`t:${name}`, from, to, each.amount)
          if (posted.ok) transfers.set(name, posted.value.transferId)
          return posted
        }
        case 'hold':
          return inTransaction((tx) =>
            holdMoney(tx, {
              id: `h:${name}`,
              userId: people[each.who]!.id,
              amountMicros: each.amount,
              currency: 'USD',
              happenedAt: at,
            }),
          )
        case 'settle': {
          const row = await db().ledgerHold.findUnique({ where: { id: `h:${name}` }, select: { amountMicros: true } })
          const capturedMicros = ((row?.amountMicros ?? 1n) * BigInt(each.part)) / 100n
          return inTransaction((tx) =>
            settleHold(tx, { id: `h:${name}`, capturedMicros, captureTo: revenue, happenedAt: at }),
          )
        }
        case 'reverse': {
          const transferId = transfers.get(name)
          return transferId
            ? inTransaction((tx) => reverseTransfer(tx, { key: `r:${name}`, transferId, happenedAt: at }))
            : null
        }
      }
    }
    const wealth = async () => {
      const balances = await Promise.all(people.map(({ id }) => getBalance({ userId: id })))
      return balances
    }
    return { people, take, wealth }
  }

  it('one after the other: a refusal changes nothing, an acceptance moves exactly its amount', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const { take, wealth } = await makeWorld()
        for (const each of steps) {
          const before = await wealth()
          const result = (await take(each)) as { ok: boolean; value?: { isRepeat?: boolean } | null } | null
          const after = await wealth()
          const total = (rows: typeof before) => rows.reduce((sum, row) => sum + row.balanceMicros + row.heldMicros, 0n)
          for (const row of after) expect(row.balanceMicros >= 0n && row.heldMicros >= 0n).toBe(true)
          if (!result?.ok || result.value?.isRepeat) expect(after).toEqual(before)
          else if (each.do === 'credit') expect(total(after) - total(before)).toBe(each.amount)
          else if (each.do === 'move' || each.do === 'hold') expect(total(after)).toBe(total(before))
          else expect(total(after) <= total(before)).toBe(true)
        }
      }),
      { numRuns: 25 },
    )
  })

  it('all at once: the books hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), async (steps) => {
        const { take, wealth } = await makeWorld()
        await Promise.all(steps.map(take))
        for (const row of await wealth()) expect(row.balanceMicros >= 0n && row.heldMicros >= 0n).toBe(true)
        expect((await checkRules(LEDGER_RULES)).findings).toEqual([])
      }),
      { numRuns: 20 },
    )
  })
})
