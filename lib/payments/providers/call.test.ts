import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { OperationalError } from '@/lib/kit'
import { btcpayProvider } from './btcpay'
import { callProvider, paidOnce, readPages } from './call'
import { stripeProvider } from './stripe'

const open: Server[] = []
afterEach(() => {
  for (const server of open.splice(0)) {
    server.close()
    server.closeAllConnections()
  }
})

async function serve(listener: RequestListener): Promise<URL> {
  const server = createServer(listener)
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return new URL(`http://127.0.0.1:${(server.address() as { port: number }).port}/`)
}

const call = (url: URL, timeoutMs?: number) =>
  callProvider('acme', url, { method: 'GET', headers: { authorization: 'Bearer key' } }, timeoutMs)

async function faultOf(work: Promise<unknown>): Promise<OperationalError> {
  const error: unknown = await work.then(
    () => null,
    (caught: unknown) => caught,
  )
  expect(error).toBeInstanceOf(OperationalError)
  return error as OperationalError
}

test('a redirect is not followed: the key stays where it was sent', async () => {
  let reached = 0
  const target = await serve((_, outgoing) => ((reached += 1), outgoing.end('{}')))
  const source = await serve((_, outgoing) => outgoing.writeHead(307, { location: target.href }).end())
  await faultOf(call(source))
  expect(reached).toBe(0)
})

test('silence ends in time', async () => {
  const error = await faultOf(call(await serve(() => undefined), 50))
  expect(error.message).toBe('acme: did not answer in time')
})

test('an answer that never ends is cut', async () => {
  const url = await serve((_, outgoing) => {
    const pump = (): void =>
      void (outgoing.write('x'.repeat(100_000)) ? setImmediate(pump) : outgoing.once('drain', pump))
    pump()
  })
  await faultOf(call(url, 5_000))
})

test('too many requests says when to come again', async () => {
  const error = await faultOf(
    call(await serve((_, outgoing) => outgoing.writeHead(429, { 'retry-after': '7' }).end('slow'))),
  )
  expect(error.retryAfterMs).toBe(7_000)
})

test('a list is read to its end, and one that has none is given up', async () => {
  const pages: Record<string, { rows: number[]; next: string | null }> = {
    first: { rows: [1, 2], next: 'second' },
    second: { rows: [], next: 'third' },
    third: { rows: [3], next: null },
  }
  expect(await readPages<number, string>('vendor', async (mark = 'first') => pages[mark]!)).toEqual([1, 2, 3])
  await faultOf(readPages('vendor', async () => ({ rows: [1], next: 'again' })))
  let page = 0
  await faultOf(readPages('vendor', async () => ({ rows: [1], next: ++page })))
  expect(page).toBe(1_000)
})

test('a payment that a moving list shows twice counts once', () => {
  const row = { providerPaymentId: 'a', paymentId: null, receivedMicros: 1n, currency: 'USD', isTest: false }
  expect(paidOnce([row, { ...row, receivedMicros: 2n }, { ...row, providerPaymentId: 'b' }])).toHaveLength(2)
})

test('what an operator sells elsewhere in the account does not hold a list up; a paid row of another shape does', async () => {
  const span = { from: new Date(0), to: new Date() }
  let rows: unknown[] = []
  const url = await serve(({ url: path }, outgoing) =>
    outgoing.end(JSON.stringify(path!.includes('/v1/checkout') ? { data: rows, has_more: false } : rows)),
  )
  const stripe = stripeProvider({ apiUrl: url.href, secretKey: 'k', webhookSecret: 's' })
  rows = [
    { id: 'cs_a', payment_status: 'unpaid', mode: 'setup', currency: null },
    { id: 'cs_b', payment_status: 'paid', currency: 'jpy', amount_total: 500 },
  ]
  expect(await stripe.listPaid!(span)).toEqual([])
  rows = [{ id: 'cs_c', payment_status: 'paid', currency: 'usd', amount_total: 5.5 }]
  await faultOf(stripe.listPaid!(span))
  const btcpay = btcpayProvider({ apiUrl: url.href, apiKey: 'k', storeId: 'store1', secret: 's' })
  rows = [{ id: 'topup', amount: null, status: 'Expired', additionalStatus: 'None' }]
  expect(await btcpay.listPaid!(span)).toEqual([])
  rows = [{ id: 'topup', amount: null, status: 'Settled', additionalStatus: 'None' }]
  await faultOf(btcpay.listPaid!(span))
})
