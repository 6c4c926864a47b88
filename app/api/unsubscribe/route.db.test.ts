import { expect, it } from 'vitest'
import { db } from '@/lib/db'
import { chooseTopics, listChoices, preferencesToken } from '@/lib/marketing'
import { insertCustomer } from '@/test/factories/customer'
import * as door from './route'

const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const context = { params: Promise.resolve({}) }
const address = (token: string) => `http://shop.test/api/unsubscribe?token=${token}`
const post = (token: string, body: BodyInit = 'List-Unsubscribe=One-Click', headers: HeadersInit = FORM) =>
  door.POST(new Request(address(token), { method: 'POST', body, headers }), context)

async function reader() {
  const { id } = await insertCustomer()
  await chooseTopics(id, { topics: ['news'], source: 'settings', locale: 'en' })
  const isOn = async () => (await listChoices(id)).some(({ state }) => state === 'on')
  return { id, token: preferencesToken(id), isOn }
}

it('a GET, as mail scanners make it, changes nothing and leads to the page (promise O9)', async () => {
  const { token, isOn } = await reader()
  const before = await db().consent.count()
  const answer = await door.GET(new Request(address(token)), context)
  expect(answer.status).toBe(303)
  expect(answer.headers.get('location')).toBe(`/preferences?token=${token}`)
  expect(await isOn()).toBe(true)
  expect(await db().consent.count()).toBe(before)
  // What is not a token stays within the query.
  const odd = await door.GET(new Request(address(encodeURIComponent('//evil.test/?a&b'))), context)
  expect(odd.headers.get('location')).toBe('/preferences?token=%2F%2Fevil.test%2F%3Fa%26b')
})

it('a POST of the one click ends it, without session, from anywhere, as either kind of form, as often as it comes', async () => {
  for (const send of [
    (token: string) => post(token),
    (token: string) => post(token, 'List-Unsubscribe=One-Click', { ...FORM, origin: 'https://mail.example' }),
    (token: string) => {
      const form = new FormData()
      form.set('List-Unsubscribe', 'One-Click')
      return door.POST(new Request(address(token), { method: 'POST', body: form }), context)
    },
  ]) {
    const { id, token, isOn } = await reader()
    for (let time = 0; time < 3; time += 1) expect((await send(token)).status).toBe(200)
    expect(await isOn()).toBe(false)
    expect(await db().consent.count({ where: { userId: id, source: 'one_click' } })).toBe(1)
  }
})

it('another body is no click, and a link that is not ours is answered calmly', async () => {
  const { token, isOn } = await reader()
  for (const [body, headers] of [
    ['', FORM],
    ['List-Unsubscribe=Two-Clicks', FORM],
    ['{"List-Unsubscribe":"One-Click"}', { 'content-type': 'application/json' }],
    ['List-Unsubscribe=One-Click', { 'content-type': 'text/plain' }],
    ['nonsense', { 'content-type': 'multipart/form-data' }],
  ] as const)
    expect((await post(token, body, headers)).status, body).toBe(400)
  expect(await isOn()).toBe(true)

  for (const forged of ['', 'x', `${token.slice(0, -1)}_`, `${'0'.repeat(32)}${token.slice(32)}`]) {
    const answer = await post(forged)
    expect(answer.status).toBe(410)
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({ code: 'link_invalid' })
  }
  expect(await isOn()).toBe(true)
})

it('the same link over and over is asked to wait, with the time', async () => {
  const { token } = await reader()
  const statuses: number[] = []
  for (let time = 0; time < 31; time += 1) statuses.push((await post(token)).status)
  expect(statuses.slice(0, 30)).toEqual(Array.from({ length: 30 }, () => 200))
  const last = await post(token)
  expect(last.status).toBe(429)
  expect(Number(last.headers.get('retry-after'))).toBeGreaterThan(0)
})
