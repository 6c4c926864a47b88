import ICAL from 'ical.js'
import { expect, test } from 'vitest'
import { db } from '@/lib/db'
import { makeFeed, revokeFeed } from '@/lib/exports'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered } from '@/test/factories/orders'
import { GET } from './route'

const ask = (file: string, headers: Record<string, string> = {}) =>
  GET(new Request(`http://shop.test/api/calendar/${file}`, { headers }), { params: Promise.resolve({ file }) })

test('one entry for each end, with its sum, in the owner’s language, and nothing that a proxy could be used by', async () => {
  const customer = await insertCustomer({ balanceMicros: 5_000_000n, locale: 'ru' })
  const { orderId } = await buyDelivered({ customer, quantity: 2 })
  const actor = { kind: 'user' as const, id: customer.id }
  const made = await makeFeed(actor, { kind: 'calendar', name: 'phone' })
  if (!made.ok) throw new Error(made.refusal.code)
  const answer = await ask(`${made.value.token}.ics`)
  expect(answer.headers.get('content-type')).toBe('text/calendar; charset=utf-8')
  const text = await answer.text()
  const events = new ICAL.Component(ICAL.parse(text) as [])
    .getAllSubcomponents('vevent')
    .map((each) => new ICAL.Event(each))
  expect(events).toHaveLength(1)
  expect(events[0]!.summary).toBe(`Заказ ${orderId.slice(-8)} закончится; продлить стоит 2,00\u00a0USD`)
  const proxies = await db().allocation.findMany({
    where: { orderId },
    select: { host: true, username: true, expiresAt: true },
  })
  expect(events[0]!.startDate.toJSDate().getTime()).toBe(Math.floor(proxies[0]!.expiresAt.getTime() / 1000) * 1000)
  const unfolded = text.replaceAll('\r\n ', '')
  for (const { host, username } of proxies) {
    expect(unfolded).not.toContain(host)
    expect(unfolded).not.toContain(username)
  }
  // Asked again, nothing has changed.
  const tag = answer.headers.get('etag')!
  expect((await ask(`${made.value.token}.ics`, { 'if-none-match': tag })).status).toBe(304)
  expect((await ask(`${made.value.token}.txt`)).status).toBe(404)
  await revokeFeed(actor, made.value)
  expect((await ask(`${made.value.token}.ics`)).status).toBe(404)
})

test('a calendar without anything due is one, too', async () => {
  const customer = await insertCustomer()
  const made = await makeFeed({ kind: 'user', id: customer.id }, { kind: 'calendar', name: 'phone' })
  if (!made.ok) throw new Error(made.refusal.code)
  const calendar = new ICAL.Component(ICAL.parse(await (await ask(`${made.value.token}.ics`)).text()) as [])
  expect(calendar.name).toBe('vcalendar')
})
