/** A document of XML holds none of these, escaped or not. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu
const ENTITIES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' }
const escapeXml = (text: string) => text.replaceAll(FORBIDDEN, '').replaceAll(/[&<>"']/g, (each) => ENTITIES[each]!)

export type FeedEntry = { url: string; title: string; text: string; publishedAt: Date; updatedAt: Date }

/** An Atom feed (RFC 4287). Texts are plain text, escaped; ids are the entries' addresses, which stay. */
export function writeFeed(feed: {
  title: string
  locale: string
  selfUrl: string
  pageUrl: string
  author: string
  entries: readonly FeedEntry[]
}): string {
  // A feed without entries has not changed since there were none.
  const updated = feed.entries.reduce((latest, { updatedAt }) => (updatedAt > latest ? updatedAt : latest), new Date(0))
  const entries = feed.entries.map(
    (entry) => `  <entry>
    <id>${escapeXml(entry.url)}</id>
    <title>${escapeXml(entry.title)}</title>
    <link rel="alternate" href="${escapeXml(entry.url)}"/>
    <published>${entry.publishedAt.toISOString()}</published>
    <updated>${entry.updatedAt.toISOString()}</updated>
    <content type="text">${escapeXml(entry.text)}</content>
  </entry>
`,
  )
  return `<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="${escapeXml(feed.locale)}">
  <id>${escapeXml(feed.selfUrl)}</id>
  <title>${escapeXml(feed.title)}</title>
  <link rel="self" type="application/atom+xml" href="${escapeXml(feed.selfUrl)}"/>
  <link rel="alternate" type="text/html" href="${escapeXml(feed.pageUrl)}"/>
  <author><name>${escapeXml(feed.author)}</name></author>
  <updated>${updated.toISOString()}</updated>
${entries.join('')}</feed>
`
}
