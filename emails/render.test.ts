import { beforeAll, describe, expect, it } from 'vitest'
import { LOCALES } from '@/i18n/locales'
import { DEFAULT_ACCENT, type EmailTemplate, lighterTone, type MailLook } from '@/lib/notifications'
import { renderEmail, TEMPLATES } from './render'

const LOOK: MailLook = { logo: 'Sluice', accent: DEFAULT_ACCENT, footerLines: ['Sluice Ltd', '1 Quay Street, Dublin'] }
const NAMES = Object.keys(TEMPLATES) as EmailTemplate[]

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
  it.each(NAMES)('renders %s whole, as html and as text', async (template) => {
    const props = TEMPLATES[template].preview
    const mail = await renderEmail(template, props as never, locale, LOOK)
    expect(mail.subject.length).toBeGreaterThan(10)
    expect(mail.html).toContain(`lang="${locale}"`)
    expect(mail.html).not.toContain('emails.')
    expect(mail.text).not.toMatch(/emails\.|undefined|NaN|\[object/)
    expect(mail.text.length).toBeGreaterThan(100)
    // A message whose arguments were forgotten shows its own syntax.
    expect(`${mail.subject} ${mail.text}`).not.toMatch(/\{\w+[,}]|, (plural|select),/)
    expect(mail.subject).not.toMatch(/[\r\n]/)
    if (locale === 'ru') expect(mail.subject).toMatch(/[а-я]/i)
    // The link is there for mail programs that show no buttons, whole and as it was given.
    if ('url' in props) expect(mail.text).toContain(props.url)
    // Who sends it stands at the foot of each, in both forms.
    for (const line of LOOK.footerLines) {
      expect(mail.html).toContain(line)
      expect(mail.text).toContain(line)
    }
  })

  it.each(NAMES)('%s knows the dark, and takes its colour from the settings', async (template) => {
    const { html } = await renderEmail(template, TEMPLATES[template].preview as never, locale, LOOK)
    expect(html).toContain('<meta name="color-scheme" content="light dark"')
    expect(html).toContain('@media (prefers-color-scheme: dark)')
    expect(html).toContain(lighterTone(DEFAULT_ACCENT))
    const red = await renderEmail(template, TEMPLATES[template].preview as never, locale, {
      ...LOOK,
      accent: '#dc2626',
    })
    if (html.includes(`background-color:${DEFAULT_ACCENT}`)) expect(red.html).toContain('background-color:#dc2626')
    expect(red.html).not.toContain(DEFAULT_ACCENT)
  })
})

it('writes amounts and plural forms the reader’s way', async () => {
  const props = TEMPLATES.order_delivered.preview
  expect((await renderEmail('order_delivered', props, 'ru', LOOK)).subject).toBe('Готовы 3 прокси')
  expect((await renderEmail('order_delivered', props, 'ru', LOOK)).text).toContain('1,60\u00a0USD')
  expect((await renderEmail('order_delivered', props, 'en', LOOK)).text).toContain('1.60\u00a0USD')
})

it.each(NAMES.filter((template) => 'username' in TEMPLATES[template].preview))(
  '%s lets neither markup nor message syntax out of a name',
  async (template) => {
    const username = '<b>x</b> {shop} "><img src=x>'
    const mail = await renderEmail(template, { ...TEMPLATES[template].preview, username } as never, 'en', LOOK)
    expect(mail.html).not.toMatch(/<b>x<\/b>|<img/)
    expect(mail.text).toContain('{shop}')
  },
)

it('lets no markup out of what staff set', async () => {
  const look = { logo: '<i>logo</i>', accent: DEFAULT_ACCENT, footerLines: ['</td><script>alert(1)</script>'] }
  const { html } = await renderEmail('verify_email', TEMPLATES.verify_email.preview, 'en', look)
  expect(html).not.toMatch(/<i>logo|<script/)
})
