import type { ExportedProxy, Writer } from './template'

/**
 * A list of proxies as text, a piece per page: a page is in memory while it is written. A list without proxies is a whole file, too (an empty list,
 * a table of headings).
 */
export async function* writeExport(pages: AsyncIterable<ExportedProxy[]>, writer: Writer): AsyncGenerator<string> {
  let piece = writer.head
  let index = 0
  for await (const page of pages) {
    for (const proxy of page) {
      piece += (index > 0 ? writer.between : '') + writer.row(proxy, index)
      index += 1
    }
    yield piece
    piece = ''
  }
  piece += writer.foot
  if (piece !== '') yield piece
}
