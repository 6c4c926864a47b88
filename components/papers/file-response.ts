const TYPES = { pdf: 'application/pdf', csv: 'text/csv; charset=utf-8' } as const

/** A paper as a download. It is personal: no cache keeps it. The name is plain ASCII, made by us. */
export function fileResponse(
  body: Buffer | ReadableStream<Uint8Array>,
  file: { name: string; type: keyof typeof TYPES },
): Response {
  return new Response(body instanceof ReadableStream ? body : new Uint8Array(body), {
    headers: {
      'Content-Type': TYPES[file.type],
      'Content-Disposition': `attachment; filename="${file.name}.${file.type}"`,
      'Cache-Control': 'private, no-store',
    },
  })
}

/** Text that is made piece by piece, as a stream: the next piece is made when the reader has room for it. */
export function textStream(pieces: AsyncGenerator<string>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await pieces.next()
      if (done) controller.close()
      else controller.enqueue(encoder.encode(value))
    },
    async cancel() {
      await pieces.return(undefined)
    },
  })
}
