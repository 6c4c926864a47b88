import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { connect, isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { SocksClient } from 'socks'
import { env } from '@/lib/env'
import { SECOND_MS } from '@/lib/kit'
import { countryOf } from './country-of'
import type { CheckFailure } from './failures'
import { isPrivateAddress } from './private-addresses'

/** Longer than a slow proxy at the other end of the world takes for connection, login and one small page; shorter than people wait. */
const TIMEOUT_MS = 10 * SECOND_MS
/** The page answers in under 100 bytes; whatever is longer is another page. */
const ANSWER_BYTES_MAX = 4096

export type ProxyToProbe = {
  host: string
  port: number
  username: string
  password: string
  protocols: readonly string[]
}

export type ProbeResult =
  | { ok: true; exitAddress: string; countryCode: string | null; latencyMs: number }
  | { ok: false; failure: CheckFailure }

/** What one check has open, so that its end closes it. */
type Line = { sockets: Socket[]; isOver: boolean }

/** A failure on the way, to leave the steps with; it never leaves probeProxy. */
class Failed extends Error {
  readonly failure: CheckFailure
  constructor(failure: CheckFailure, cause?: unknown) {
    super(failure, { cause })
    this.failure = failure
  }
}

/** The page that says from where it was asked: our own, unless a setting names another that answers the same. */
export function checkTarget(): URL {
  return new URL(env().CHECK_TARGET_URL ?? '/api/check/address', env().PUBLIC_URL)
}

/**
 * Asks the target through a proxy, once, as a customer's program would: SOCKS5 when that is all the proxy speaks, else HTTP (CONNECT to an https
 * target, absolute form to an http one). Nothing but this one small page is asked for. `latencyMs` is from the first packet to the whole
 * answer. Never throws for what the proxy or the target does; whether the target itself stands is asked by `assertTargetAnswers`.
 */
export async function probeProxy(
  proxy: ProxyToProbe,
  options: { target?: URL; timeoutMs?: number; refusesPrivate?: boolean } = {},
): Promise<ProbeResult> {
  const { target = checkTarget(), timeoutMs = TIMEOUT_MS } = options
  const refusesPrivate = options.refusesPrivate ?? env().SLUICE_MODE === 'production'
  const line: Line = { sockets: [], isOver: false }
  let timer: NodeJS.Timeout | undefined
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Failed('timeout')), timeoutMs)
  })
  try {
    return await Promise.race([askThrough(proxy, target, refusesPrivate, line), tooLate])
  } catch (error) {
    if (error instanceof Failed) return { ok: false, failure: error.failure }
    throw error
  } finally {
    clearTimeout(timer)
    line.isOver = true
    for (const socket of line.sockets) socket.destroy()
  }
}

async function askThrough(proxy: ProxyToProbe, target: URL, refusesPrivate: boolean, line: Line): Promise<ProbeResult> {
  const host = await resolve(proxy.host)
  if (refusesPrivate && isPrivateAddress(host)) throw new Failed('private_address')
  const startedAt = performance.now()
  const socket = await dial(host, proxy.port, line)
  const isSocks = proxy.protocols.includes('socks5') && !proxy.protocols.includes('http')
  const isHttps = target.protocol === 'https:'
  let answer: { status: number; text: string }
  if (isSocks || isHttps) {
    if (isSocks) await openSocks(socket, proxy, target)
    else await openTunnel(socket, proxy, target)
    const inner = isHttps ? await secure(socket, target, line) : socket
    answer = await ask(inner, { path: `${target.pathname}${target.search}`, headers: { host: target.host } })
  } else {
    const headers = { host: target.host, 'proxy-authorization': authorization(proxy) }
    answer = await ask(socket, { path: target.href, headers })
    if (answer.status === 407) throw new Failed('auth')
    // The page itself never answers so; the proxy did, in its place.
    if (answer.status >= 400) throw new Failed('no_way_out')
  }
  const latencyMs = Math.max(1, Math.round(performance.now() - startedAt))
  const exitAddress = readAddress(answer)
  if (exitAddress === null) throw new Failed('bad_answer')
  return { ok: true, exitAddress, countryCode: await countryOf(exitAddress), latencyMs }
}

async function resolve(host: string): Promise<string> {
  if (isIP(host)) return host
  try {
    return (await lookup(host)).address
  } catch (error) {
    throw new Failed('unreachable', error)
  }
}

async function dial(host: string, port: number, line: Line): Promise<Socket> {
  // A name that was looked up for longer than the whole check may take.
  if (line.isOver) throw new Failed('timeout')
  const socket = connect({ host, port, noDelay: true })
  line.sockets.push(socket)
  try {
    await once(socket, 'connect')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new Failed(code === 'ECONNREFUSED' ? 'refused' : code === 'ECONNRESET' ? 'closed' : 'unreachable', error)
  }
  // Whoever waits on the socket hears of its end by other means; without a listener Node would end the process.
  socket.on('error', () => undefined)
  return socket
}

/** CONNECT through an HTTP proxy. */
async function openTunnel(socket: Socket, proxy: ProxyToProbe, target: URL): Promise<void> {
  const authority = `${target.hostname}:${portOf(target)}`
  const call = request({
    method: 'CONNECT',
    path: authority,
    headers: { host: authority, 'proxy-authorization': authorization(proxy) },
    createConnection: () => socket,
  })
  const status = await new Promise<number>((done, fail) => {
    call.once('connect', (answer) => done(answer.statusCode ?? 0))
    call.once('response', (answer) => done(answer.statusCode ?? 0))
    call.once('error', (error) => fail(failureOf(error)))
    call.once('close', () => fail(new Failed('closed')))
    call.end()
  })
  if (status === 407) throw new Failed('auth')
  if (status < 200 || status > 299) throw new Failed('no_way_out')
}

async function openSocks(socket: Socket, proxy: ProxyToProbe, target: URL): Promise<void> {
  try {
    await SocksClient.createConnection({
      proxy: { host: proxy.host, port: proxy.port, type: 5, userId: proxy.username, password: proxy.password },
      command: 'connect',
      destination: { host: target.hostname, port: portOf(target) },
      existing_socket: socket,
    })
  } catch (error) {
    // The library tells its cases apart by their sentences only; probe-proxy.test.ts holds them against real servers.
    const sentence = error instanceof Error ? error.message : ''
    if (/authentication/i.test(sentence)) throw new Failed('auth', error)
    if (/rejected/i.test(sentence)) throw new Failed('no_way_out', error)
    if (/closed|ECONNRESET|EPIPE/i.test(sentence)) throw new Failed('closed', error)
    throw new Failed('bad_answer', error)
  }
}

async function secure(socket: Socket, target: URL, line: Line): Promise<Socket> {
  const inner = connectTls({ socket, servername: target.hostname, ALPNProtocols: ['http/1.1'] })
  line.sockets.push(inner)
  try {
    await once(inner, 'secureConnect')
  } catch (error) {
    // A proxy that puts its own certificate in place of ours is not one to sell.
    throw new Failed((error as NodeJS.ErrnoException).code === 'ECONNRESET' ? 'closed' : 'bad_answer', error)
  }
  inner.on('error', () => undefined)
  return inner
}

/** One GET over a connection that stands. */
async function ask(
  socket: Socket,
  { path, headers }: { path: string; headers: Record<string, string> },
): Promise<{ status: number; text: string }> {
  const call = request({
    path,
    headers: { ...headers, accept: 'application/json', connection: 'close' },
    createConnection: () => socket,
  })
  const answer = await answerTo(call)
  let text = ''
  try {
    for await (const part of answer) {
      text += String(part)
      if (text.length > ANSWER_BYTES_MAX) throw new Failed('bad_answer')
    }
  } catch (error) {
    throw error instanceof Failed ? error : failureOf(error)
  }
  return { status: answer.statusCode ?? 0, text }
}

function answerTo(call: ClientRequest): Promise<IncomingMessage> {
  return new Promise((done, fail) => {
    call.once('response', done)
    call.once('error', (error) => fail(failureOf(error)))
    call.end()
  })
}

/** What the HTTP client says about a connection that ended or talked nonsense. */
function failureOf(error: unknown): Failed {
  const code = String((error as NodeJS.ErrnoException).code ?? '')
  return new Failed(code.startsWith('HPE_') ? 'bad_answer' : 'closed', error)
}

function readAddress({ status, text }: { status: number; text: string }): string | null {
  if (status !== 200) return null
  try {
    const { address } = JSON.parse(text) as { address?: unknown }
    return typeof address === 'string' && isIP(address) ? address : null
  } catch {
    return null
  }
}

function portOf(target: URL): number {
  return Number(target.port || (target.protocol === 'https:' ? 443 : 80))
}

function authorization({ username, password }: ProxyToProbe): string {
  return `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
}
