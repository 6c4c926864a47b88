import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { startProxyCheapFake } from './proxy-cheap'

async function open(stateFile?: string) {
  const fake = await startProxyCheapFake({ port: 0, apiKey: 'key', apiSecret: 'secret', exitPort: 9999, stateFile })
  const call = async (place: string, body?: object, secret = 'secret') => {
    const answer = await fetch(`${fake.url}${place}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: { 'x-api-key': 'key', 'x-api-secret': secret },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return { status: answer.status, body: (text === '' ? null : JSON.parse(text)) as Record<string, unknown> | null }
  }
  const tell = (wish: string, body: object = {}) =>
    fetch(`${fake.controlUrl}/${wish}`, { method: 'POST', body: JSON.stringify(body) })
  return { fake, call, tell }
}

const ORDER = { planId: 'standard', quantity: 1, country: 'DE', period: { unit: 'months', value: 1 } }
const PLACE = '/v2/order/static-residential-ipv4'
type Listed = { id: number; status: string; expiresAt: string; authentication: { username: string; password: string } }

test('answers its refusals with their statuses', async () => {
  const { fake, call, tell } = await open()
  expect((await call(`${PLACE}/execute`, ORDER, 'wrong')).status).toBe(403)
  expect((await call('/v2/order/rotating-mobile/execute', ORDER)).status).toBe(404)
  for (const wrong of [{ planId: 'x' }, { country: 'ZZ' }, { quantity: 0 }, { period: { unit: 'days', value: 7 } }])
    expect((await call(`${PLACE}/execute`, { ...ORDER, ...wrong })).status).toBe(422)
  await tell('balance', { amount: '0.01' })
  expect((await call(`${PLACE}/execute`, ORDER)).status).toBe(402)
  await tell('billing', { allowed: false })
  expect((await call('/account/balance')).status).toBe(403)
  await fake.close()
})

test('sells at once and is active later, extends by calendar months, and remembers over a restart', async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-pc-'))
  const file = path.join(folder, 'proxy-cheap.json')
  const { fake, call, tell } = await open(file)
  await tell('delivery', { afterMs: null })
  expect(await call(`${PLACE}/price`, ORDER)).toMatchObject({ body: { finalPrice: 2.7, currency: 'USD' } })
  expect(await call(`${PLACE}/execute`, ORDER)).toMatchObject({ status: 200, body: { totalPrice: 2.7 } })
  const list = async () => (await call('/proxies')).body!.proxies as Listed[]
  expect(await list()).toMatchObject([{ status: 'INITIATING', connection: { connectIp: null } }])
  await tell('deliver')
  const [before] = await list()
  expect(before).toMatchObject({ status: 'ACTIVE' })
  expect((await call(`/proxies/${before!.id}/extend-period`, { periodInMonths: 12 })).status).toBe(204)
  const [after] = await list()
  const [from, to] = [new Date(before!.expiresAt), new Date(after!.expiresAt)]
  expect(to.getUTCFullYear()).toBe(from.getUTCFullYear() + 1)
  expect(to.getUTCMonth()).toBe(from.getUTCMonth())
  expect((await call('/account/balance')).body).toEqual({ balance: 96_490 })
  await tell('list', { shape: 'bare' })
  expect((await call('/proxies')).body).toMatchObject([{ id: after!.id }])
  await fake.close()
  const again = await open(file)
  expect(again.fake.isSold(after!.authentication.username, after!.authentication.password)).toBe(true)
  await again.fake.close()
  rmSync(folder, { recursive: true })
})
