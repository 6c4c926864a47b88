import { expect, it } from 'vitest'
import { GET as openImage, HEAD as openHead } from '@/app/api/campaign-opens/[token]/route'
import { renderCampaign } from '@/emails/render'
import { db } from '@/lib/db'
import { newId } from '@/lib/kit'
import { linkToken, openToken, runCampaigns } from '@/lib/marketing'
import { insertReader, sayMeasuring, startedCampaign } from '@/test/factories/marketing'
import { GET as follow, HEAD as followHead } from './[token]/route'

const context = (token: string) => ({ params: Promise.resolve({ token }) })
const request = (token: string, headers: HeadersInit = {}) =>
  new Request(`http://shop.test/api/campaign-links/${encodeURIComponent(token)}`, { headers })

async function measuredMail() {
  const { id: userId } = await insertReader()
  await sayMeasuring(userId, true)
  const campaignId = await startedCampaign({ bodyEn: '[this](https://one.test/a?b=1)' })
  await runCampaigns(renderCampaign, {
    mailsPerSecond: Number.POSITIVE_INFINITY,
    transport: {
      isIdempotent: true,
      sendBatch: async (_, messages) => messages.map(() => ({ kind: 'taken', messageId: null })),
    },
  })
  const row = () => db().campaignRecipient.findUniqueOrThrow({ where: { campaignId_userId: { campaignId, userId } } })
  const { id } = await row()
  return { userId, link: linkToken(id, 1), image: openToken(id), row }
}

it('a link leads to the campaign’s own target and is noted once; nothing of its token is told to that site', async () => {
  const { link, row } = await measuredMail()
  for (let time = 0; time < 2; time += 1) {
    const answer = await follow(request(link), context(link))
    expect(answer.status).toBe(302)
    expect(answer.headers.get('location')).toBe('https://one.test/a?b=1')
    expect(answer.headers.get('referrer-policy')).toBe('no-referrer')
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('set-cookie')).toBeNull()
  }
  expect(await row()).toMatchObject({ clickedLink: 1, clickedAt: expect.any(Date), openedAt: expect.any(Date) })
})

it('the image is one pixel that no cache keeps', async () => {
  const { image, row } = await measuredMail()
  const answer = await openImage(request(image), context(image))
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/gif'])
  expect(answer.headers.get('cache-control')).toBe('no-store')
  const bytes = Buffer.from(await answer.arrayBuffer())
  expect(bytes.subarray(0, 10)).toEqual(Buffer.from('GIF89a\x01\x00\x01\x00', 'latin1'))
  expect(Number(answer.headers.get('content-length'))).toBe(bytes.length)
  expect(await row()).toMatchObject({ openedAt: expect.any(Date), clickedAt: null })
})

it('HEAD and whatever looks ahead are answered alike and count nothing', async () => {
  const { link, image, row } = await measuredMail()
  const followed = await followHead(request(link), context(link))
  const opened = await openHead(request(image), context(image))
  expect([followed.status, opened.status]).toEqual([302, 200])
  expect(await opened.text()).toBe('')
  for (const [name, value] of [
    ['sec-purpose', 'prefetch'],
    ['sec-purpose', 'prefetch;prerender'],
    ['purpose', 'prefetch'],
    ['x-moz', 'prefetch'],
    ['x-purpose', 'preview'],
  ] as const) {
    const headers = { [name]: value }
    expect((await follow(request(link, headers), context(link))).status).toBe(302)
    expect((await openImage(request(image, headers), context(image))).status).toBe(200)
  }
  expect(await row()).toMatchObject({ openedAt: null, clickedAt: null })
})

it('after a no the link still leads on, the image is still there, and nothing is kept', async () => {
  const { userId, link, image, row } = await measuredMail()
  await follow(request(link), context(link))
  await sayMeasuring(userId, false)
  expect((await follow(request(link), context(link))).headers.get('location')).toBe('https://one.test/a?b=1')
  expect((await openImage(request(image), context(image))).status).toBe(200)
  expect(await row()).toMatchObject({ openedAt: null, clickedAt: null, clickedLink: null })
})

it('a token that is not ours is answered 404, says nothing and leads nowhere', async () => {
  const { link, image, row } = await measuredMail()
  const forged = [
    '',
    'x',
    `${link.slice(0, -1)}${link.endsWith('A') ? 'B' : 'A'}`,
    link.replace('-1.', '-2.'),
    linkToken(newId('rcp'), 1),
    '//evil.test/',
    'https://evil.test/',
    `${link}/../../evil`,
  ]
  for (const token of forged) {
    const answer = await follow(request(token), context(token))
    expect(answer.status, token).toBe(404)
    expect(answer.headers.get('location')).toBeNull()
    expect(answer.headers.get('content-type')).toBe('application/problem+json')
    expect(await answer.json()).toMatchObject({ status: 404, code: 'not_found' })
  }
  for (const token of ['', 'x', link, `${image}x`])
    expect((await openImage(request(token), context(token))).status, token).toBe(404)
  expect(await row()).toMatchObject({ openedAt: null, clickedAt: null })
})
