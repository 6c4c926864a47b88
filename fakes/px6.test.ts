import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startPx6Fake } from './px6'

type Reply = Record<string, unknown> & { list?: Record<string, { id: string; unixtime_end: number }> }

async function open(stateFile?: string) {
  const fake = await startPx6Fake({ port: 0, apiKey: 'key', exitPort: 9999, stateFile })
  await fetch(`${fake.controlUrl}/limit`, { method: 'POST', body: '{"perSecond":0}' })
  const call = async (rest: string, key = 'key') =>
    (await fetch(`${fake.url}/api/${key}/${rest}`)).json() as Promise<Reply>
  return { fake, call }
}

test('answers every error of the protocol with its number', async () => {
  const { fake, call } = await open()
  const cases: [string, number][] = [
    ['nothing/', 110],
    ['buy/?count=0&period=30&country=de&version=4', 200],
    ['buy/?count=1.5&period=30&country=de&version=4', 200],
    ['buy/?count=1&period=0&country=de&version=4', 210],
    ['buy/?count=1&period=30&country=zz&version=4', 220],
    ['prolong/?period=30&ids=', 230],
    ['buy/?count=1&period=30&country=de&version=9', 240],
    [`buy/?count=1&period=30&country=de&version=4&descr=${'x'.repeat(51)}`, 250],
    ['buy/?count=1&period=30&country=de&version=4&type=ftp', 260],
    ['buy/?count=9999&period=30&country=de&version=4', 300],
    ['buy/?count=200&period=365&country=de&version=4', 400],
    ['prolong/?period=30&ids=424242', 404],
  ]
  for (const [rest, id] of cases) expect(await call(rest), rest).toMatchObject({ status: 'no', error_id: id })
  expect(await call('', 'wrong')).toMatchObject({ status: 'no', error_id: 100 })
  await fetch(`${fake.controlUrl}/callers`, { method: 'POST', body: '{"allowed":false}' })
  expect(await call('')).toMatchObject({ status: 'no', error_id: 105 })
  await fake.close()
})

test('sells, tells and renews, and the balance goes down by the price', async () => {
  const { fake, call } = await open()
  expect(await call('getprice/?count=2&period=30&version=4')).toMatchObject({ price: '1.20', price_single: '0.60' })
  const bought = await call('buy/?count=2&period=30&country=de&version=4&descr=mine')
  expect(bought).toMatchObject({ status: 'yes', count: '2', price: '1.20', balance: '998.80', currency: 'USD' })
  const [first] = Object.values(bought.list!)
  expect(bought.list![first!.id]).toBe(first)
  expect(await call('getcount/?country=de&version=4')).toMatchObject({ count: '198' })
  const renewed = await call(`prolong/?period=10&ids=${first!.id}`)
  expect(renewed).toMatchObject({ price: '0.20', balance: '998.60', count: '1' })
  expect(renewed.list![first!.id]!.unixtime_end).toBe(first!.unixtime_end + 10 * 86_400)
  expect(await call('getproxy/?descr=mine&state=active')).toMatchObject({ list_count: '2' })
  expect(await call('getproxy/?descr=mine&state=expired')).toMatchObject({ list_count: '0' })
  await fake.close()
})

test('remembers over a restart what it sold', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-px6-'))
  const file = path.join(folder, 'px6.json')
  const before = await open(file)
  await before.call('buy/?count=1&period=30&country=nl&version=4&descr=kept')
  await before.fake.close()
  const after = await open(file)
  expect(await after.call('getproxy/?descr=kept')).toMatchObject({ list_count: '1', balance: '999.40' })
  await after.fake.close()
  rmSync(folder, { recursive: true })
})
