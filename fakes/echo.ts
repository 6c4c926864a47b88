import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export type Echo = { url: string; port: number; close: () => Promise<void> }

/**
 * A page that tells its visitor where they came from, to try a bought proxy on: through the exit each login has an address of its own.
 * `/` answers text, `/json` the same for scripts. It remembers nothing.
 */
export async function startEcho(options: { port: number }): Promise<Echo> {
  const server = createServer((request, response) => {
    const address = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '')
    const isThroughExit = address.startsWith('127.') && address !== '127.0.0.1'
    if (request.url === '/json') {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ address, throughExit: isThroughExit }))
      return
    }
    response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8' })
    response.end(
      isThroughExit
        ? `You came through the exit ${address}. The proxy works.\n`
        : `You came directly, from ${address || 'nowhere'}. No proxy was used.\n`,
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
