import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Echo, startEcho } from '@/fakes/echo'
import { type Exit, exitAddress, startExit, stockCredential } from '@/fakes/exit'
import { countryOf } from './country-of'
import { probeProxy, type ProxyToProbe } from './probe-proxy'

/** A certificate for this machine's own name, good for a hundred years and for nothing else. */
const KEY = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg5aWKCwB2uU8Y+MTP
r66dCtGIQJUyMoGr8ZKJnt780TShRANCAAQY+/DYS+IItXfW8QXFs+Ci5dVFdBo6
pYmkNQ9cydtJgAr4BmI1YP9OBamtN/eLLXjZbKQgl4iD3GyCA9L4FeUv
-----END PRIVATE KEY-----`
const CERTIFICATE = `-----BEGIN CERTIFICATE-----
MIIBmjCCAUGgAwIBAgIUIiAshBI98bUl1/zgXJa7q/ClAl4wCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbG9jYWxob3N0MCAXDTI2MTEyMTA3NDczOVoYDzIxMjYxMDI4
MDc0NzM5WjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAAQY+/DYS+IItXfW8QXFs+Ci5dVFdBo6pYmkNQ9cydtJgAr4BmI1YP9O
BamtN/eLLXjZbKQgl4iD3GyCA9L4FeUvo28wbTAdBgNVHQ4EFgQUT6JwUy9Gpl7Q
elCw3sdJfjgQVhgwHwYDVR0jBBgwFoAUT6JwUy9Gpl7QelCw3sdJfjgQVhgwDwYD
VR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwCgYIKoZI
zj0EAwIDRwAwRAIgGqPRE4Y9Z9OnPb+zhDwKNaFPaw2uxDWFUgNQ517PHa4CIBRE
vHYmNt5dkv3NM4F3jCAOz8LTjgTISQJ+e0HTsFsE
-----END CERTIFICATE-----`

const EXIT_KEY = 'exit-key'
const LOGIN = stockCredential(1, EXIT_KEY)
let exit: Exit
let echo: Echo
let target: URL
const closing: (() => void)[] = []

/** Any server on a free port of this machine, closed with everything it has open when the file ends. */
async function listen(server: Server): Promise<number> {
  const open = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    open.add(socket)
    socket.on('error', () => undefined).on('close', () => open.delete(socket))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    for (const socket of open) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

const raw = (handle: (socket: Socket) => void) => listen(createServer(handle))
const page = (answer: (path: string) => { status?: number; text: string }) =>
  listen(
    createHttpServer((request, response) => {
      const { status = 200, text } = answer(request.url ?? '')
      response.writeHead(status, { 'content-type': 'application/json' }).end(text)
    }),
  )

/** A SOCKS5 proxy (RFC 1928, 1929) that takes one login and leads anywhere on this machine. */
function startSocks(login: { username: string; password: string }): Promise<number> {
  return raw((socket) => {
    const steps: ((data: Buffer) => void)[] = [
      () => socket.write(Buffer.from([5, 2])),
      (data) => {
        const username = data.subarray(2, 2 + data[1]!).toString()
        const password = data.subarray(3 + data[1]!).toString()
        const isRight = username === login.username && password === login.password
        socket.write(Buffer.from([1, isRight ? 0 : 1]))
        if (!isRight) socket.end()
      },
      (data) => {
        const isName = data[3] === 3
        const host = isName ? data.subarray(5, 5 + data[4]!).toString() : [...data.subarray(4, 8)].join('.')
        const outer = connect({ host, port: data.readUInt16BE(data.length - 2), localAddress: '127.0.0.77', family: 4 })
        outer.on('connect', () => {
          socket.write(Buffer.from([5, 0, 0, 1, 0, 0, 0, 0, 0, 0]))
          socket.removeAllListeners('data')
          socket.pipe(outer).pipe(socket)
        })
        outer.on('error', () => socket.end(Buffer.from([5, 5, 0, 1, 0, 0, 0, 0, 0, 0])))
      },
    ]
    socket.on('data', (data) => steps.shift()?.(data))
  })
}

const http = (port: number, more: Partial<ProxyToProbe> = {}): ProxyToProbe => ({
  host: '127.0.0.1',
  port,
  ...LOGIN,
  protocols: ['http'],
  ...more,
})
const probe = (proxy: ProxyToProbe, options: { target?: URL; timeoutMs?: number; refusesPrivate?: boolean } = {}) =>
  probeProxy(proxy, { target, timeoutMs: 5_000, refusesPrivate: false, ...options })

beforeAll(async () => {
  exit = await startExit({ port: 0, key: EXIT_KEY })
  echo = await startEcho({ port: 0 })
  target = new URL('/json', echo.url)
})
afterAll(async () => {
  for (const close of closing) close()
  await Promise.all([exit.close(), echo.close()])
})

describe('an HTTP proxy', () => {
  it('passes, with the address it came out at and how long it took', async () => {
    const result = await probe(http(exit.port))
    expect(result).toMatchObject({ ok: true, exitAddress: exitAddress(LOGIN.username), countryCode: null })
    expect(result.ok && result.latencyMs).toBeGreaterThan(0)
  })

  it('is also asked over HTTP when it speaks both', async () => {
    expect(await probe(http(exit.port, { protocols: ['socks5', 'http'] }))).toMatchObject({ ok: true })
  })

  it('with a login that is not taken', async () => {
    expect(await probe(http(exit.port, { password: 'wrong' }))).toEqual({ ok: false, failure: 'auth' })
  })

  it('where nobody listens', async () => {
    const gone = createServer()
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve))
    const { port } = gone.address() as AddressInfo
    await new Promise((resolve) => gone.close(resolve))
    expect(await probe(http(port))).toEqual({ ok: false, failure: 'refused' })
  })

  it('under a name that does not exist', async () => {
    expect(await probe(http(8080, { host: 'nowhere.invalid' }))).toEqual({ ok: false, failure: 'unreachable' })
  })

  it('that takes the connection and says nothing is given up, and its connection closed', async () => {
    let ended: () => void
    const isClosed = new Promise<void>((resolve) => (ended = resolve))
    const port = await raw((socket) => socket.on('close', () => ended()).resume())
    expect(await probe(http(port), { timeoutMs: 150 })).toEqual({ ok: false, failure: 'timeout' })
    await isClosed
  })

  it('that drips its answer is given up by the clock of the whole check', async () => {
    const port = await raw((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-length: 4000\r\n\r\n')
      const drip = setInterval(() => socket.write(' '), 20)
      socket.on('close', () => clearInterval(drip))
    })
    expect(await probe(http(port), { timeoutMs: 200 })).toEqual({ ok: false, failure: 'timeout' })
  })

  it('that hangs up at once, or in the middle of its answer', async () => {
    expect(await probe(http(await raw((socket) => socket.end())))).toEqual({ ok: false, failure: 'closed' })
    const half = await raw((socket) =>
      socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 40\r\n\r\n{"address": "127.')),
    )
    expect(await probe(http(half))).toEqual({ ok: false, failure: 'closed' })
  })

  it('that answers in the target’s place', async () => {
    const texts = ['', '{}', '<html>Please pay your bill</html>', '{"address":5}', '{"address":"no address"}', 'null']
    for (const text of [...texts, `{"address":"192.0.2.1","more":"${'x'.repeat(5000)}"}`])
      expect(await probe(http(await page(() => ({ text })))), text.slice(0, 60)).toMatchObject({
        failure: 'bad_answer',
      })
    const noise = await raw((socket) => socket.once('data', () => socket.end('220 smtp ready\r\n')))
    expect(await probe(http(noise))).toEqual({ ok: false, failure: 'bad_answer' })
    const redirect = await page(() => ({ status: 302, text: '' }))
    expect(await probe(http(redirect))).toEqual({ ok: false, failure: 'bad_answer' })
  })

  it('that does not lead outside', async () => {
    for (const status of [403, 502, 503])
      expect(await probe(http(await page(() => ({ status, text: '' }))))).toEqual({ ok: false, failure: 'no_way_out' })
  })

  it('tells the country of the address it came out at', async () => {
    const port = await page(() => ({ text: '{"address":"193.0.6.139"}' }))
    expect(await probe(http(port))).toMatchObject({ ok: true, exitAddress: '193.0.6.139', countryCode: 'NL' })
    expect(await countryOf('2001:67c:2e8::1')).toBe('NL')
    expect(await countryOf('192.168.1.1')).toBeNull()
  })

  it('at an address that no customer can reach is not knocked at where that matters', async () => {
    for (const host of ['127.0.0.1', 'localhost', '10.1.2.3', '169.254.169.254', '192.168.0.1', '::1', 'fd00::1'])
      expect(await probe(http(exit.port, { host }), { refusesPrivate: true }), host).toEqual({
        ok: false,
        failure: 'private_address',
      })
  })
})

describe('to an https target', () => {
  it('a tunnel is asked for, and only the target’s own certificate counts', async () => {
    const secure = await listen(
      createHttpsServer({ key: KEY, cert: CERTIFICATE }, (request, response) => {
        response.end(JSON.stringify({ address: request.socket.remoteAddress?.replace('::ffff:', '') }))
      }),
    )
    const options = { target: new URL(`https://localhost:${secure}/`) }
    expect(await probe(http(exit.port), options)).toEqual({ ok: false, failure: 'bad_answer' })
    expect(await probe(http(exit.port, { password: 'wrong' }), options)).toEqual({ ok: false, failure: 'auth' })
    const trusted = getCACertificates('default')
    setDefaultCACertificates([...trusted, CERTIFICATE])
    try {
      expect(await probe(http(exit.port), options)).toMatchObject({
        ok: true,
        exitAddress: exitAddress(LOGIN.username),
      })
      const socks = http(await startSocks(LOGIN), { protocols: ['socks5'] })
      expect(await probe(socks, options)).toMatchObject({ ok: true, exitAddress: '127.0.0.77' })
    } finally {
      setDefaultCACertificates(trusted)
    }
  })

  it('a proxy that refuses the tunnel, or hangs up instead', async () => {
    const options = { target: new URL('https://localhost:1/') }
    const refuses = await raw((socket) => socket.once('data', () => socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')))
    expect(await probe(http(refuses), options)).toEqual({ ok: false, failure: 'no_way_out' })
    const hangsUp = await raw((socket) => socket.once('data', () => socket.end()))
    expect(await probe(http(hangsUp), options)).toEqual({ ok: false, failure: 'closed' })
  })
})

describe('a SOCKS5 proxy', () => {
  const socks = (port: number, more: Partial<ProxyToProbe> = {}) => http(port, { protocols: ['socks5'], ...more })

  it('passes', async () => {
    expect(await probe(socks(await startSocks(LOGIN)))).toMatchObject({ ok: true, exitAddress: '127.0.0.77' })
  })

  it('with a login that is not taken', async () => {
    expect(await probe(socks(await startSocks(LOGIN), { password: 'wrong' }))).toEqual({ ok: false, failure: 'auth' })
    const none = await raw((socket) => socket.once('data', () => socket.write(Buffer.from([5, 255]))))
    expect(await probe(socks(none))).toEqual({ ok: false, failure: 'auth' })
  })

  it('that does not lead outside', async () => {
    const nowhere = new URL('http://127.0.0.1:2/')
    expect(await probe(socks(await startSocks(LOGIN)), { target: nowhere })).toEqual({
      ok: false,
      failure: 'no_way_out',
    })
  })

  it('that hangs up, talks nonsense or says nothing', async () => {
    const hangsUp = await raw((socket) => socket.once('data', () => socket.end()))
    expect(await probe(socks(hangsUp))).toEqual({ ok: false, failure: 'closed' })
    const half = await raw((socket) => socket.once('data', () => socket.end(Buffer.from([5]))))
    expect(await probe(socks(half))).toEqual({ ok: false, failure: 'closed' })
    const nonsense = await raw((socket) => socket.once('data', () => socket.write('HTTP/1.1 400 Bad Request\r\n\r\n')))
    expect(await probe(socks(nonsense))).toEqual({ ok: false, failure: 'bad_answer' })
    const silent = await raw((socket) => socket.resume())
    expect(await probe(socks(silent), { timeoutMs: 150 })).toEqual({ ok: false, failure: 'timeout' })
  })
})
