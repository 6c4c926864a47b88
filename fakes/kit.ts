import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/**
 * What the stand-ins share. Each is a small HTTP server that speaks a vendor's protocol, keeps its state in one JSON file (so that
 * a restarted demo finds what it sold), and takes orders for odd cases under `/control/…`:
 *
 *   POST /control/fail   {"times":1,"match":"buy","status":500}                 answer so instead of doing it
 *   POST /control/fail   {"times":1,"match":"buy","timeout":true,"after":true}  do it, then never answer
 *   POST /control/fail   {"method":"POST", …}                                 only calls of this method
 *   GET  /control/fail                                                         how many failures have not happened yet
 *   POST /control/delay  {"ms":500}                                             answer every call later
 *   POST /control/reset                                                         forget failures and delays
 */
export type FakeRequest = {
  method: string
  url: URL
  headers: IncomingMessage['headers']
  body: string
  params: Record<string, string>
}
export type FakeReply = { status?: number; headers?: Record<string, string>; body: unknown }
export type Route = { method: string; path: RegExp; handle: (request: FakeRequest) => Promise<FakeReply> | FakeReply }

type Failure = { times: number; match: string; method: string; status: number; timeout: boolean; after: boolean }

export type Fake = { url: string; controlUrl: string; port: number; server: Server; close: () => Promise<void> }

const MAX_BODY_BYTES = 1_000_000

/** Starts a stand-in on loopback. Port 0 takes any free one. A string body is sent as it is (html unless headers say otherwise), anything else as JSON. */
export async function startFake(options: { port: number; routes: Route[] }): Promise<Fake> {
  let failures: Failure[] = []
  let delayMs = 0
  const control: Route[] = [
    {
      method: 'POST',
      path: /^\/control\/fail$/,
      handle: ({ body }) => {
        const wish = JSON.parse(body || '{}') as Partial<Failure>
        failures.push({
          times: wish.times ?? 1,
          match: wish.match ?? '',
          method: wish.method ?? '',
          status: wish.status ?? 500,
          timeout: wish.timeout ?? false,
          after: wish.after ?? false,
        })
        return { body: { ok: true } }
      },
    },
    {
      method: 'GET',
      path: /^\/control\/fail$/,
      handle: () => ({ body: { waiting: failures.reduce((sum, each) => sum + each.times, 0) } }),
    },
    {
      method: 'POST',
      path: /^\/control\/delay$/,
      handle: ({ body }) => (
        (delayMs = Number((JSON.parse(body || '{}') as { ms?: number }).ms ?? 0)),
        { body: { ok: true } }
      ),
    },
    {
      method: 'POST',
      path: /^\/control\/reset$/,
      handle: () => ((failures = []), (delayMs = 0), { body: { ok: true } }),
    },
  ]

  async function answer(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://fake')
    const request: FakeRequest = {
      method: incoming.method ?? 'GET',
      url,
      headers: incoming.headers,
      body: await readBody(incoming),
      params: {},
    }
    const isControl = url.pathname.startsWith('/control/')
    const route = [...control, ...options.routes].find(
      (each) => each.method === request.method && each.path.test(url.pathname),
    )
    if (!route) return send(outgoing, { status: 404, body: { error: 'not found' } })
    request.params = { ...route.path.exec(url.pathname)?.groups }
    const fits = (each: Failure): boolean =>
      each.times > 0 && url.pathname.includes(each.match) && [request.method, ''].includes(each.method)
    const failure = isControl ? undefined : failures.find(fits)
    if (failure) failure.times -= 1
    if (!isControl && delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs))
    if (failure && !failure.after)
      return failure.timeout ? undefined : send(outgoing, { status: failure.status, body: { error: 'made to fail' } })
    const reply = await route.handle(request)
    if (failure)
      return failure.timeout
        ? undefined
        : send(outgoing, { status: failure.status, body: { error: 'made to fail afterwards' } })
    send(outgoing, reply)
  }

  const server = createServer((incoming, outgoing) => {
    answer(incoming, outgoing).catch((error: unknown) =>
      send(outgoing, { status: 500, body: { error: String(error) } }),
    )
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.port, '127.0.0.1', resolve)
  })
  const port = (server.address() as { port: number }).port
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    controlUrl: `${url}/control`,
    port,
    server,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function readBody(incoming: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > MAX_BODY_BYTES) throw new Error('body too large')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

function send(outgoing: ServerResponse, reply: FakeReply): void {
  if (outgoing.headersSent) return
  const isText = typeof reply.body === 'string'
  outgoing.writeHead(reply.status ?? 200, {
    'content-type': isText ? 'text/html; charset=utf-8' : 'application/json',
    ...reply.headers,
  })
  outgoing.end(isText ? (reply.body as string) : JSON.stringify(reply.body))
}

/** State that survives a restart: one JSON file, written whole. Without a file it lives in memory only (tests). */
export class FakeState<T extends object> {
  readonly value: T
  readonly #file: string | undefined

  constructor(initial: T, file?: string) {
    this.#file = file
    this.value = initial
    if (!file) return
    try {
      this.value = { ...initial, ...(JSON.parse(readFileSync(file, 'utf8')) as T) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }

  save(): void {
    if (!this.#file) return
    mkdirSync(path.dirname(this.#file), { recursive: true })
    writeFileSync(`${this.#file}.new`, JSON.stringify(this.value), { mode: 0o600 })
    renameSync(`${this.#file}.new`, this.#file)
  }
}
