import { describe, expect, it } from 'vitest'
import { contrastOf, isReadableAccent, lighterTone, MAIL_DARK } from './contrast'
import { senderSchema } from './schemas'
import { DEFAULT_ACCENT } from './sender-settings'

const whole = { name: 'Shop', address: 'shop@example.com', replyTo: '', logo: '', footer: '', accent: DEFAULT_ACCENT }
const issuesOf = (input: object) =>
  (senderSchema.safeParse({ ...whole, ...input }).error?.issues ?? []).map(
    ({ path, message }) => `${String(path[0])}: ${message}`,
  )

describe('the accent', () => {
  it('counts contrast as WCAG does', () => {
    expect(contrastOf('#000000', '#ffffff')).toBeCloseTo(21, 5)
    expect(contrastOf('#767676', '#ffffff')).toBeCloseTo(4.54, 2)
    expect(contrastOf('#ffffff', '#767676')).toBe(contrastOf('#767676', '#ffffff'))
  })

  it('is readable on white and seen in the dark, the first one as well', () => {
    expect(isReadableAccent(DEFAULT_ACCENT)).toBe(true)
    expect(issuesOf({ accent: '#2563EB' })).toEqual([])
    expect(issuesOf({ accent: '#ffe14d' })).toEqual(['accent: accent_contrast'])
    expect(issuesOf({ accent: '#0a1a2f' })).toEqual(['accent: accent_contrast'])
    for (const accent of ['red', '#fff', '#12345g', 'url(x)', ''])
      expect(issuesOf({ accent }), accent).toEqual(['accent: accent_form'])
  })

  it('has a tone for links in the dark that can be read', () => {
    for (const accent of [DEFAULT_ACCENT, '#2563eb', '#dc2626', '#000000'])
      expect(contrastOf(lighterTone(accent), MAIL_DARK)).toBeGreaterThanOrEqual(4.5)
  })
})

describe('the sender', () => {
  it.each([
    ['name', 'Shop\r\nBcc: all@example.com', 'line_form'],
    ['name', 'Shop\u2028Bcc: x', 'line_form'],
    ['name', 'Shop <evil@example.com>', 'line_form'],
    ['name', '"Shop', 'line_form'],
    ['logo', '<b>Shop</b>', 'line_form'],
    ['name', 'x'.repeat(61), 'text_too_long'],
    ['address', 'shop@example.com\r\nBcc: all@example.com', 'email_invalid'],
    ['address', 'shop@example.com, all@example.com', 'email_invalid'],
    ['replyTo', 'not an address', 'email_invalid'],
    ['footer', 'one\ntwo\nthree\nfour\nfive', 'footer_form'],
    ['footer', 'x'.repeat(121), 'footer_form'],
    ['footer', 'one\0two', 'value_invalid'],
  ])('%s: %j is refused beside its field', (field, value, message) => {
    expect(issuesOf({ [field]: value })).toEqual([`${field}: ${message}`])
  })

  it('keeps the lines of the footer, without empty ones', () => {
    expect(senderSchema.parse({ ...whole, footer: ' Sluice Ltd \r\n\r\n1 Quay Street ' }).footer).toBe(
      'Sluice Ltd\n1 Quay Street',
    )
  })
})
