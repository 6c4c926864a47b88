import { beforeAll, expect, test } from 'vitest'
import { LOCALES } from '@/i18n/locales'
import { MESSAGES } from '@/i18n/messages'
import { TEMPLATES } from '@/emails/render'
import { TEMPLATE_RULES } from '@/lib/notifications'
import { NOTICE_TEMPLATES, sayNotice } from './say-notice'

beforeAll(() => {
  Object.assign(process.env, {
    SLUICE_MODE: 'test',
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    AUTH_SECRET: 'test-'.repeat(8),
    PUBLIC_URL: 'http://shop.test',
    LOG_LEVEL: 'silent',
  })
})

test('every template that leaves a notice has words, and no other', () => {
  const leaves = Object.entries(TEMPLATE_RULES).flatMap(([name, rule]) => (rule.isMailOnly ? [] : [name]))
  expect([...NOTICE_TEMPLATES].sort()).toEqual(leaves.sort())
  for (const locale of LOCALES)
    for (const template of NOTICE_TEMPLATES) {
      const words = MESSAGES[locale].notices[template]
      expect([locale, template, Boolean(words.title && words.line)]).toEqual([locale, template, true])
    }
})

test.each(LOCALES)('in %s each is said whole, from the data its mail is shown with', (locale) => {
  for (const template of NOTICE_TEMPLATES) {
    const said = sayNotice({ template, props: TEMPLATES[template].preview }, { locale, timeZone: 'Europe/Berlin' })
    const text = `${said.title} ${said.line}`
    expect(text, template).not.toMatch(/notices\.|undefined|NaN|\[object|[{}]/)
    expect(said.path, template).toMatch(/^\/(account|catalogue|announcements)/)
    if (locale === 'ru') expect(said.title, template).toMatch(/[а-я]/i)
  }
})

test('plural forms, amounts and times are the reader’s', () => {
  const props = {
    orderId: 'ord_1',
    quantity: 2,
    ordered: 3,
    totalMicros: '2400000',
    refundedMicros: '1200000',
    currency: 'USD',
    expiresAt: '2027-03-04T23:30:00.000Z',
  }
  const said = (locale: string, timeZone = 'UTC') =>
    sayNotice({ template: 'order_delivered', props }, { locale, timeZone })
  expect(said('en').title).toBe('Your 2 proxies are ready')
  expect(said('ru').title).toBe('Готовы 2 прокси')
  expect(said('en').line).toContain('One piece could not be delivered; 1.20\u00a0USD')
  expect(said('en').line).toContain('March 4')
  expect(said('en', 'Europe/Berlin').line).toContain('March 5')
})

test('a template of a newer shop is said in general words', () => {
  const said = sayNotice({ template: 'constructor', props: {} }, { locale: 'en', timeZone: 'UTC' })
  expect(said).toMatchObject({ title: 'A notice', path: '/account' })
})
