import { beforeAll, describe, expect, it } from 'vitest'
import { personalise, PLACES } from './message'
import { confirmToken, preferencesToken, readConfirmToken, readPreferencesToken } from './links'
import { parseBody } from './markup'
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
          { kind: 'link', url: 'https://shop.test/a?b=1', parts: [{ kind: 'text', text: 'see' }] },
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
