import { textStream } from '@/components/papers/file-response'
import { CONTENT_TYPES, type ExportedProxy, type Writer, writeExport } from '@/lib/exports'

/** A list of proxies as a download that is written while it is read. No cache keeps it; its name is plain ASCII, made by us. */
export function exportResponse(pages: AsyncIterable<ExportedProxy[]>, writer: Writer, name: string): Response {
  return new Response(textStream(writeExport(pages, writer)), {
    headers: {
      'Content-Type': CONTENT_TYPES[writer.file],
      'Content-Disposition': `attachment; filename="${name}.${writer.file}"`,
      'Cache-Control': 'private, no-store',
    },
  })
}
