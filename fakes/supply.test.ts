import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { startIproyalFake } from './iproyal'
import { startIproyalResidentialFake } from './iproyal-residential'
import { startWebshareFake } from './webshare'

const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-supply-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const stands = {
  iproyal: {
    start: () =>
      startIproyalFake({ port: 0, apiKey: 'key', exitPort: 9999, stateFile: path.join(folder, 'iproyal.json') }),
    headers: (key: string) => ({ 'x-access-token': key }),
    buy: '/v1/reseller/orders',
    wish: { product_id: 9, product_plan_id: 23, product_location_id: 2, quantity: 1 },
    read: '/v1/reseller/orders?product_id=9',
  },
  'iproyal-residential': {
    start: () => startIproyalResidentialFake({ port: 0, apiKey: 'key', stateFile: path.join(folder, 'resi.json') }),
    headers: (key: string) => ({ authorization: `Bearer ${key}` }),
    buy: '/v1/residential-subusers',
    wish: { username: 'one', password: 'secret', traffic: 1.5 },
    read: '/v1/residential-subusers',
  },
  webshare: {
    start: () =>
      startWebshareFake({ port: 0, apiKey: 'key', exitPort: 9999, stateFile: path.join(folder, 'webshare.json') }),
    headers: (key: string) => ({ authorization: `Token ${key}` }),
    buy: '/control/add',
    wish: { count: 1, country: 'JP' },
    read: '/api/v2/proxy/list/?mode=direct&page_size=100',
  },
}

test.each(Object.entries(stands))(
  '%s remembers over a restart what it sold, and opens to its key only',
  async (_name, stand) => {
    const before = await stand.start()
    const made = await fetch(`${before.url}${stand.buy}`, {
      method: 'POST',
      headers: stand.headers('key'),
      body: JSON.stringify(stand.wish),
    })
    expect(made.status).toBe(200)
    const read = async (url: string, key: string) => fetch(`${url}${stand.read}`, { headers: stand.headers(key) })
    const sold = ((await (await read(before.url, 'key')).json()) as { data?: object[]; results?: object[] }).data
    await before.close()
    const after = await stand.start()
    expect((await read(after.url, 'wrong')).status).toBe(401)
    const kept = await read(after.url, 'key')
    expect(kept.status).toBe(200)
    const text = await kept.text()
    if (sold) expect((JSON.parse(text) as { data: object[] }).data).toEqual(sold)
    else expect(text).toContain('"country_code":"JP"')
    await after.close()
  },
)
