import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startProxySellerFake } from './proxy-seller'

type Reply = { status: string; data: Record<string, unknown>; errors: { code: number; message: string }[] }

async function open(stateFile?: string) {
  const fake = await startProxySellerFake({ port: 0, apiKey: 'key', exitPort: 9999, stateFile })
  const call = async (rest: string, body?: object, key = 'key') => {
    const answer = await fetch(`${fake.url}/personal/api/v2/${key}/${rest}`, {
      method: body === undefined ? 'GET' : 'POST',
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    expect(answer.status).toBe(200)
    return answer.json() as Promise<Reply>
  }
  const tell = (wish: string, body: object = {}) =>
    fetch(`${fake.controlUrl}/${wish}`, { method: 'POST', body: JSON.stringify(body) })
  return { fake, call, tell }
}

const ORDER = {
  sectionCode: 'ipv4',
  countryId: 'DEU',
  periodId: '1m',
  paymentId: 'balance',
  quantity: 2,
  customTargetName: 'Market research',
  generateAuth: 'Y',
}

test('says every "no" with status 200, and the three of the door with one and the same triple', async () => {
  const { fake, call } = await open()
  const cases: [string, object, number][] = [
    ['order/make', { ...ORDER, customTargetName: '' }, 14],
    ['order/make', { ...ORDER, countryId: 'ZZZ' }, 0],
    ['order/make', { ...ORDER, quantity: 201 }, 0],
    ['order/make', { ...ORDER, paymentId: 'card' }, 0],
    ['prolong/make/ipv4', { periodId: '1m', paymentId: 'balance' }, 0],
    ['proxy/replace', { ids: ['x'], type: 'ipv4' }, 0],
    ['auth/add/ip', { orderNumber: 'NS_0', ip: '203.0.113.7' }, 0],
  ]
  for (const [rest, body, code] of cases)
    expect(await call(rest, body), rest).toMatchObject({ status: 'error', errors: [{ code }] })
  const atTheDoor = await call('balance/get', undefined, 'wrong')
  expect(atTheDoor.errors.map(({ code }) => code)).toEqual([503, 503, 503])
  await fake.close()
})

test('sells at once, delivers later, renews under other ids and the same base number, and remembers over a restart', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-ps-'))
  const file = path.join(folder, 'proxy-seller.json')
  const { fake, call, tell } = await open(file)
  await tell('delivery', { afterMs: null })
  expect(await call('order/make', ORDER)).toMatchObject({ status: 'success', data: { total: 3 } })
  expect((await call('proxy/list/ipv4')).data).toEqual({ items: [] })
  await tell('deliver')
  type Item = { id: string; order_id: string; base_order_number: string; ip: string; login: string; password: string }
  const list = async () => (await call('proxy/list/ipv4')).data.items as Item[]
  const before = await list()
  const ids = before.map((item) => item.id)
  await call('prolong/make/ipv4', { ids, periodId: '1m', paymentId: 'balance' })
  const after = await list()
  expect(after.map((item) => item.ip)).toEqual(before.map((item) => item.ip))
  expect(after.map((item) => item.base_order_number)).toEqual(before.map((item) => item.base_order_number))
  expect(new Set([...ids, ...after.map((item) => item.id)]).size).toBe(4)
  expect(after[0]!.order_id).not.toBe(before[0]!.order_id)
  expect(new Set(after.map((item) => item.ip)).size).toBe(2)
  expect((await call('balance/get')).data).toEqual({ summ: 994 })
  expect((await call('order/list?is_extend=N')).data.items).toMatchObject([{ total: '$3.00' }])
  await fake.close()
  const again = await open(file)
  expect((await again.call('proxy/list/ipv4')).data.items).toEqual(after)
  expect(again.fake.isSold(after[0]!.login, after[0]!.password)).toBe(true)
  await again.fake.close()
  rmSync(folder, { recursive: true })
})
