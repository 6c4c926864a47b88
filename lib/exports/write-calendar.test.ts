import fc from 'fast-check'
import ICAL from 'ical.js'
import { expect, test } from 'vitest'
import { type CalendarEvent, writeCalendar } from './write-calendar'

const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((each) => each.replace(/\p{C}/gu, ''))
const event: CalendarEvent = {
  uid: 'ord_1-20260301T000000Z@shop.test',
  stampedAt: new Date('2026-01-01T00:00:00Z'),
  at: new Date('2026-03-01T12:30:00Z'),
  summary: 'Order; ends, \\ now',
  description: 'One\nTwo',
  url: 'https://shop.test/account/orders/ord_1',
}

test('another program reads what was written, whatever the texts', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, text), { maxLength: 5 }), text, (texts, name) => {
      const events = texts.map(([summary, description], index) => ({
        ...event,
        uid: `u${index}`,
        summary,
        description,
      }))
      const written = [...writeCalendar({ name, events })].join('')
      for (const line of written.split('\r\n')) expect(Buffer.byteLength(line)).toBeLessThanOrEqual(75)
      expect(written.replaceAll('\r\n', '')).not.toMatch(/[\r\n]/)
      const calendar = new ICAL.Component(ICAL.parse(written) as [])
      const read = calendar.getAllSubcomponents('vevent').map((each) => new ICAL.Event(each))
      expect(read.map(({ uid, summary, description }) => ({ uid, summary, description }))).toEqual(
        events.map(({ uid, summary, description }) => ({ uid, summary, description })),
      )
    }),
    { numRuns: 300 },
  )
})

test('moments are in UTC, and a line break in a text stays one', () => {
  const calendar = new ICAL.Component(ICAL.parse([...writeCalendar({ name: 'Shop', events: [event] })].join('')) as [])
  const read = new ICAL.Event(calendar.getFirstSubcomponent('vevent')!)
  expect(calendar.getFirstPropertyValue('x-wr-calname')).toBe('Shop')
  expect(read.startDate.toJSDate()).toEqual(event.at)
  expect(read.description).toBe('One\nTwo')
  expect(read.summary).toBe('Order; ends, \\ now')
  expect(calendar.getFirstSubcomponent('vevent')!.getFirstPropertyValue('url')).toBe(event.url)
})
