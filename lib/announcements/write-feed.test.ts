import { expect, it } from 'vitest'
import { writeFeed } from './write-feed'

it('writes what staff typed as text, never as markup', () => {
  const at = new Date('2027-01-02T03:04:05Z')
  const feed = writeFeed({
    title: 'Shop & <sons>',
    locale: 'en',
    selfUrl: 'https://shop.test/announcements/feed?locale=en&x="',
    pageUrl: 'https://shop.test/announcements',
    author: "O'Neil",
    entries: [
      {
        url: 'https://shop.test/announcements/a',
        title: '<script>alert(1)</script>',
        text: ']]> &amp; \u0000\u0008\n<b>',
        publishedAt: at,
        updatedAt: at,
      },
    ],
  })
  expect(feed).not.toMatch(/<script|<b>|<sons>|\0/)
  expect(feed).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
  expect(feed).toContain(']]&gt; &amp;amp; \n&lt;b&gt;')
  expect(feed).toContain('<updated>2027-01-02T03:04:05.000Z</updated>')
  expect(feed).toContain('x=&quot;')
})
