import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { accepted, newId, refused } from '@/lib/kit'
import { limitGuesses, takeTurn } from './index'

test('of fifty tries at once as many are let through as there are turns, and a refusal says how long to wait', async () => {
  const subject = newId('usr')
  const turns = await Promise.all(Array.from({ length: 50 }, () => takeTurn('voucher_by_customer', subject)))
  expect(turns.filter((turn) => turn.ok)).toHaveLength(10)
  const refusal = turns.find((turn) => !turn.ok)
  if (!refusal || refusal.ok) throw new Error('somebody was refused')
  expect(refusal.refusal.code).toBe('too_many_tries')
  expect(Number(refusal.refusal.facts.seconds)).toBeGreaterThan(0)
  expect(Number(refusal.refusal.facts.seconds)).toBeLessThanOrEqual(15 * 60)
  expect(await takeTurn('voucher_by_customer', newId('usr'))).toMatchObject({ ok: true })
  expect(await takeTurn('promotion_code_by_customer', subject)).toMatchObject({ ok: true })
})

test('turns are there again when their time is over, whichever process asks', async () => {
  const subject = newId('usr')
  while ((await takeTurn('voucher_by_customer', subject)).ok);
  await db().throttle.updateMany({ data: { expire: new Date(Date.now() - 1) } })
  expect(await takeTurn('voucher_by_customer', subject)).toMatchObject({ ok: true })
})

test('wrong guesses use turns up, right ones do not, and nothing is looked at without one', async () => {
  const guesser = { id: newId('usr'), address: '198.51.100.7' }
  let looks = 0
  const guess = (isRight: boolean) =>
    limitGuesses('voucher', guesser, async () => {
      looks += 1
      return isRight ? accepted(null) : refused('voucher_not_valid')
    })
  for (let index = 0; index < 30; index += 1) expect(await guess(true)).toMatchObject({ ok: true })
  for (let index = 0; index < 10; index += 1)
    expect(await guess(false)).toMatchObject({ refusal: { code: 'voucher_not_valid' } })
  looks = 0
  expect(await guess(true)).toMatchObject({ refusal: { code: 'too_many_tries' } })
  expect(looks).toBe(0)
})

test('one address behind many accounts is counted too, and no row tells an address or an id', async () => {
  const address = '203.0.113.9'
  const guess = (id: string) =>
    limitGuesses('promotion_code', { id, address }, async () => refused('promotion_not_valid'))
  for (let index = 0; index < 60; index += 1)
    expect(await guess(newId('usr'))).toMatchObject({ refusal: { code: 'promotion_not_valid' } })
  expect(await guess(newId('usr'))).toMatchObject({ refusal: { code: 'too_many_tries' } })
  const keys = (await db().throttle.findMany({ select: { key: true } })).map((row) => row.key).join(' ')
  expect(keys).not.toContain(address)
  expect(keys).not.toContain('usr_')
})
