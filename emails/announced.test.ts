import { beforeAll, expect, it } from 'vitest'
import { DEFAULT_ACCENT, type MailLook } from '@/lib/notifications'
import { renderEmail, TEMPLATES } from './render'

const LOOK: MailLook = { logo: 'Sluice', accent: DEFAULT_ACCENT, footerLines: [] }
const HOSTILE = '<img src=x onerror=alert(1)> {shop} </td><script>alert(1)</script>'

beforeAll(() => {
  Object.assign(process.env, {
    SLUICE_MODE: 'test',
    DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none',
    AUTH_SECRET: 'test-'.repeat(8),
    PUBLIC_URL: 'http://shop.test',
    LOG_LEVEL: 'silent',
  })
})

it.each(['announcement_news', 'announcement_change', 'announcement_maintenance', 'maintenance_changed'] as const)(
  '%s lets neither markup nor message syntax out of what staff wrote',
  async (template) => {
    const props = {
      ...TEMPLATES[template].preview,
      titleEn: HOSTILE,
      titleRu: HOSTILE,
      leadEn: HOSTILE,
      leadRu: HOSTILE,
    }
    for (const locale of ['en', 'ru']) {
      const mail = await renderEmail(template, props as never, locale, LOOK)
      expect(mail.html).not.toMatch(/<img|<script/)
      expect(mail.text).toContain('{shop}')
      expect(mail.subject).toContain('{shop}')
    }
  },
)

it('a text that was cut ends between words and says so; one that was not is whole, with its paragraphs', async () => {
  const props = { ...TEMPLATES.announcement_news.preview, leadEn: 'One two.\n\nThree fou', isCutEn: true }
  const cut = await renderEmail('announcement_news', props, 'en', LOOK)
  expect(cut.text).toContain('Three…')
  expect(cut.text).not.toContain('fou')
  expect(cut.text).toContain('Read it in full')
  const whole = await renderEmail('announcement_news', { ...props, isCutEn: false }, 'en', LOOK)
  expect(whole.text).toContain('Three fou')
  expect(whole.text).toContain('See the announcement')
})
