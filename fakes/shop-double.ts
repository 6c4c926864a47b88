import { createServer } from 'node:http'

/** What a shop heard: for tests of the stand-ins, and of adapters against them. */
export type Heard = { headers: Record<string, string>; body: Buffer }
export type ShopDouble = { url: string; heard: Heard[]; answers: number[]; close: () => Promise<void> }

/** A shop that only listens. It answers with the statuses in `answers`, one each, and with 202 when there are none left. */
export async function startShopDouble(): Promise<ShopDouble> {
  const heard: Heard[] = []
  const answers: number[] = []
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      heard.push({ headers: incoming.headers as Record<string, string>, body: Buffer.concat(chunks) })
      outgoing.writeHead(answers.shift() ?? 202).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as { port: number }).port}/webhook`,
    heard,
    answers,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
