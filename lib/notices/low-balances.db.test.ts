import { expect, test } from 'vitest'
import { db, inTransaction } from '@/lib/db'
import { env } from '@/lib/env'
import { newId } from '@/lib/kit'
import { postTransfer } from '@/lib/ledger'
import { giveMoney, insertCustomer } from '@/test/factories/customer'
import { saveNoticeSettings, tellLowBalances } from './index'

const mark = (user: { id: string }, lowBalanceMicros: bigint | null) =>
  saveNoticeSettings(user.id, {
    on: new Set(['payments:app', 'payments:mail']),
    digestHour: null,
    lowBalanceMicros,
    nextChargeDays: 3,
    isNextChargeLoud: false,
  })
async function spend(user: { id: string }, amountMicros: bigint): Promise<void> {
  const currency = env().SHOP_CURRENCY
  const spent = await inTransaction((tx) =>
    postTransfer(tx, {
      key: `adjustment:${newId('req')}`,
      from: { owner: user.id, kind: 'customer_balance', currency },
      to: { owner: 'shop', kind: 'adjustments', currency },
      amountMicros,
      source: { kind: 'adjustment', id: user.id },
      happenedAt: new Date(),
    }),
  )
  expect(spent.ok).toBe(true)
}
const told = async (user: { id: string }) => [
  await db().notice.count({ where: { userId: user.id, template: 'low_balance' } }),
  await db().outgoingEmail.count({ where: { userId: user.id, template: 'low_balance' } }),
]

test('told once when the balance falls below the mark, and again only after it was above', async () => {
  const user = await insertCustomer({ balanceMicros: 10_000_000n })
  await mark(user, 5_000_000n)
  await tellLowBalances()
  expect(await told(user)).toEqual([0, 0])
  await spend(user, 6_000_000n)
  await tellLowBalances()
  await tellLowBalances()
  await spend(user, 1_000_000n)
  await tellLowBalances()
  expect(await told(user)).toEqual([1, 1])
  await giveMoney(user.id, 2_000_000n) // exactly at the mark: not below
  await tellLowBalances()
  await spend(user, 1n)
  await tellLowBalances()
  expect(await told(user)).toEqual([2, 2])
})

test('many looks at once, while money moves, tell once', async () => {
  const people = await Promise.all(Array.from({ length: 8 }, () => insertCustomer({ balanceMicros: 10_000_000n })))
  for (const user of people) await mark(user, 5_000_000n)
  await Promise.all([
    ...people.map((user) => spend(user, 9_000_000n)),
    ...Array.from({ length: 6 }, () => tellLowBalances()),
  ])
  await Promise.all(Array.from({ length: 6 }, () => tellLowBalances()))
  expect(await Promise.all(people.map(told))).toEqual(people.map(() => [1, 1]))
})

test('a mark above today’s balance waits for the next fall; without a mark nothing is told', async () => {
  const [user, nobody] = [await insertCustomer(), await insertCustomer()]
  await mark(user, 5_000_000n)
  await mark(nobody, null)
  await tellLowBalances()
  expect([await told(user), await told(nobody)]).toEqual([
    [0, 0],
    [0, 0],
  ])
  await giveMoney(user.id, 6_000_000n)
  await tellLowBalances()
  await spend(user, 2_000_000n)
  await tellLowBalances()
  expect(await told(user)).toEqual([1, 1])
})
