import { beforeAll, describe, expect, it } from 'vitest'
import { LOCALES } from '@/i18n/locales'
import type { EmailTemplate } from '@/lib/notifications'
import { renderEmail, TEMPLATES } from './render'

beforeAll(() => {
  Object.assign(process.env, {
    SLUICE_MODE: 'test',
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    AUTH_SECRET: 'test-'.repeat(8),
    PUBLIC_URL: 'http://shop.test',
    LOG_LEVEL: 'silent',
  })
})

describe.each(LOCALES)('in %s', (locale) => {
  it.each(Object.keys(TEMPLATES) as EmailTemplate[])('renders %s whole, as html and as text', async (template) => {
    const props = TEMPLATES[template].preview
    const mail = await renderEmail(template, props as never, locale)
    expect(mail.subject.length).toBeGreaterThan(10)
    expect(mail.html).toContain(`lang="${locale}"`)
    expect(mail.html).not.toContain('emails.')
    expect(mail.text).not.toMatch(/emails\.|undefined|NaN|\[object/)
    expect(mail.text.length).toBeGreaterThan(100)
    if (locale === 'ru') expect(mail.subject).toMatch(/[а-я]/i)
    // The link is there for mail programs that show no buttons, whole and as it was given.
    if ('url' in props) expect(mail.text).toContain(props.url)
  })
})

it('writes amounts and plural forms the reader’s way', async () => {
  const props = TEMPLATES.order_delivered.preview
  expect((await renderEmail('order_delivered', props, 'ru')).subject).toBe('Готовы 3 прокси')
  expect((await renderEmail('order_delivered', props, 'ru')).text).toContain('1,60\u00a0USD')
  expect((await renderEmail('order_delivered', props, 'en')).text).toContain('1.60\u00a0USD')
})

it('does not let a name become markup', async () => {
  const mail = await renderEmail('verify_email', { username: '<b>x</b>', url: 'http://shop.test/' }, 'en')
  expect(mail.html).not.toContain('<b>x</b>')
})
