import { beforeAll, describe, expect, it } from 'vitest'
import { linkPlace, personalise, PLACES } from './message'
import {
  confirmToken,
  isWayOut,
  linkToken,
  openToken,
  preferencesToken,
  readConfirmToken,
  readLinkToken,
  readOpenToken,
  readPreferencesToken,
} from './links'
import { listLinks, parseBody } from './markup'
import { maskAddress } from './audience'
import { preferencesSchema, saveCampaignSchema } from './schemas'

beforeAll(() => {
  Object.assign(process.env, { DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/none', AUTH_SECRET: 'test-'.repeat(8) })
})

const anna = `usr_${'a'.repeat(32)}`
const boris = `usr_${'b'.repeat(32)}`
const campaign = `cpn_${'c'.repeat(32)}`

describe('a link in a mail', () => {
  it('says whose it is and from which campaign, and nothing for anybody else', () => {
    const token = preferencesToken(anna, campaign)
    expect(readPreferencesToken(token)).toEqual({ userId: anna, campaignId: campaign })
    expect(readPreferencesToken(preferencesToken(anna))).toEqual({ userId: anna, campaignId: null })
    const signature = token.split('.')[1]!
    for (const forged of [
      '',
      'x',
      `${token}x`,
      token.slice(0, -1),
      preferencesToken(boris, campaign).split('.')[0] + `.${signature}`,
      `${'a'.repeat(32)}.${signature}`,
      `${token.split('.')[0]}.${'A'.repeat(43)}`,
      token.toUpperCase(),
    ])
      expect(readPreferencesToken(forged), forged).toBeNull()
  })

  it('for one purpose is none for another, and a confirming one is old after a week', () => {
    const now = new Date('2027-01-10T00:00:00.000Z')
    const token = confirmToken(anna, now)
    expect(readConfirmToken(token, now)).toEqual({ userId: anna, askedAt: now })
    expect(readPreferencesToken(token)).toBeNull()
    expect(readConfirmToken(preferencesToken(anna, campaign), now)).toBeNull()
    expect(readConfirmToken(token, new Date('2027-01-17T00:00:00.000Z'))).not.toBeNull()
    expect(readConfirmToken(token, new Date('2027-01-17T00:00:00.001Z'))).toBeNull()
  })

  it('of a measured mail says whose mail and which link, and nothing that was changed on the way', () => {
    const mail = `rcp_${'d'.repeat(32)}`
    const token = linkToken(mail, 12)
    expect(readLinkToken(token)).toEqual({ recipientId: mail, number: 12 })
    expect(readOpenToken(openToken(mail))).toEqual({ recipientId: mail })
    const [text, signature] = token.split('.') as [string, string]
    for (const forged of [
      '',
      'x',
      token.slice(0, -1),
      `${token}x`,
      `${text.slice(0, -2)}13.${signature}`,
      `${text.slice(0, -3)}.${signature}`,
      `${text}0.${signature}`,
      `${'e'.repeat(32)}-12.${signature}`,
      `https://evil.test/.${signature}`,
      openToken(mail),
      preferencesToken(`usr_${'d'.repeat(32)}`),
    ])
      expect(readLinkToken(forged), forged).toBeNull()
    for (const forged of ['', token, openToken(mail).slice(1), preferencesToken(`usr_${'d'.repeat(32)}`)])
      expect(readOpenToken(forged), forged).toBeNull()
  })

  it('to the way out is known, and only ours', () => {
    const shop = process.env.PUBLIC_URL ?? 'http://localhost:3000'
    for (const path of ['/preferences', '/preferences?token=x', '/preferences/confirm', '/api/unsubscribe?token=x'])
      expect(isWayOut(`${shop}${path}`), path).toBe(true)
    for (const url of [`${shop}/preferencesandmore`, `${shop}/catalogue`, 'https://elsewhere.test/preferences'])
      expect(isWayOut(url), url).toBe(false)
  })
})

describe('the few signs of a campaign', () => {
  it('knows paragraphs, lines, bold, links and the name', () => {
    expect(parseBody('Hello {name},\nhow are you?\n\n**Very {name}** [see](https://shop.test/a?b=1) it')).toEqual([
      [
        [{ kind: 'text', text: 'Hello ' }, { kind: 'name' }, { kind: 'text', text: ',' }],
        [{ kind: 'text', text: 'how are you?' }],
      ],
      [
        [
          { kind: 'bold', parts: [{ kind: 'text', text: 'Very ' }, { kind: 'name' }] },
          { kind: 'text', text: ' ' },
          { kind: 'link', url: 'https://shop.test/a?b=1', number: 1, parts: [{ kind: 'text', text: 'see' }] },
          { kind: 'text', text: ' it' },
        ],
      ],
    ])
  })

  it.each([
    '<script>alert(1)</script>{{x}} ${y} {other} <%= z %>',
    '[run](javascript:alert(1)) [file](file:///etc/passwd) [data](data:text/html,x)',
    '[in](https://user:secret@evil.test/)',
    '** not bold * [open](https://a.test',
  ])('leaves %s as it was typed', (text) => {
    expect(parseBody(text)).toEqual([[[{ kind: 'text', text }]]])
  })
})

it('a name is put in once, escaped in html and in one line, whatever it holds', () => {
  const mail = {
    subject: `For ${PLACES.name}`,
    html: `<p>${PLACES.name}</p><a href="${PLACES.preferences}">`,
    text: PLACES.name,
  }
  const name = `<script>{{x}}</script>$& ${PLACES.preferences} "q"\r\nBcc: thief@evil.test`
  const own = personalise(mail, { name, preferencesUrl: 'https://shop.test/preferences?token=a&b' })
  expect(own.subject).toBe('For <script>{{x}}</script>$&   "q" Bcc: thief@evil.test')
  expect(own.html).toBe(
    '<p>&lt;script&gt;{{x}}&lt;/script&gt;$&amp;   &quot;q&quot; Bcc: thief@evil.test</p><a href="https://shop.test/preferences?token=a&amp;b">',
  )
  expect(own.text).not.toMatch(/[\r\n]/)
})

it('the links of a text are numbered in its order, whatever stands between them', () => {
  const body = '[one](https://a.test) [no](javascript:x) [**two**](https://b.test)\n\nx\n[three {name}](https://a.test)'
  expect(listLinks(body)).toEqual([
    { number: 1, url: 'https://a.test/' },
    { number: 2, url: 'https://b.test/' },
    { number: 3, url: 'https://a.test/' },
  ])
  // The longest text there may be, full of the shortest links: none meets the sign of another.
  const many = listLinks('[a](http://b)'.repeat(770).slice(0, 10_000))
  expect(new Set(many.map(({ number }) => linkPlace(number))).size).toBe(many.length)
  for (const { number } of many) expect(linkPlace(number)).toMatch(/^[\u{E100}-\u{F8FE}]$/u)
})

it('links and image are put in for a measured reader alone; a private sign of somebody’s font stays', () => {
  const mail = {
    subject: 'S \uF8FF',
    html: `<a href="${linkPlace(1)}">\uF8FF</a><img src="${PLACES.image}">`,
    text: linkPlace(2),
  }
  const measured = {
    imageUrl: 'https://shop.test/i?a&b',
    links: [
      { number: 1, url: 'https://shop.test/1' },
      { number: 2, url: 'https://shop.test/2' },
    ],
  }
  expect(personalise(mail, { name: 'anna', preferencesUrl: 'p', measured })).toEqual({
    subject: 'S \uF8FF',
    html: '<a href="https://shop.test/1">\uF8FF</a><img src="https://shop.test/i?a&amp;b">',
    text: 'https://shop.test/2',
  })
})

it('an address is masked so that its owner knows it and nobody else can write to it', () => {
  expect(maskAddress('anna.long@example.co.uk')).toBe('a•••@e•••.uk')
  expect(maskAddress('a@localhost')).toBe('a•••@l•••')
})

describe('what is typed', () => {
  const whole = { name: 'N', topic: 'news', subjectEn: 'S', bodyEn: 'B', subjectRu: 'Т', bodyRu: 'Т' }
  const wrong = (input: object) => {
    const parsed = saveCampaignSchema.safeParse({ ...whole, ...input })
    return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
  }

  it('takes a campaign as its form sends it', () => {
    expect(
      saveCampaignSchema.parse({
        ...whole,
        campaignId: '',
        countryCode: ' de ',
        lastOrderFrom: '',
        locale: '',
        bodyEn: 'a\r\n\r\nb',
      }),
    ).toMatchObject({ bodyEn: 'a\n\nb', audience: { countryCode: 'DE', hasBalance: false } })
  })

  it('refuses what would break out of a header, stand for a reader, or mean nothing', () => {
    expect(wrong({ subjectEn: 'a\r\nBcc: x' })).toEqual(['subjectEn: value_invalid'])
    expect(wrong({ bodyRu: `x ${PLACES.name}` })).toEqual(['bodyRu: value_invalid'])
    expect(wrong({ topic: 'everything' })).toEqual(['topic: choice_invalid'])
    expect(wrong({ countryCode: 'Germany' })).toEqual(['countryCode: country_form'])
    expect(wrong({ lastOrderFrom: '2027-02-02', lastOrderBefore: '2027-02-01' })).toEqual([
      'lastOrderBefore: ends_before_start',
    ])
    expect(wrong({ lastOrderFrom: '2027-13-45' })).toEqual(['lastOrderFrom: value_invalid'])
    expect(wrong({ bodyEn: 'x'.repeat(10_001) })).toEqual(['bodyEn: text_too_long'])
  })

  it('no box is no topic, one is one, and an unknown one is refused', () => {
    expect(preferencesSchema.parse({ token: 't' }).topics).toEqual([])
    expect(preferencesSchema.parse({ token: 't', topics: 'news' }).topics).toEqual(['news'])
    expect(preferencesSchema.safeParse({ token: 't', topics: ['news', 'all'] }).success).toBe(false)
  })
})
