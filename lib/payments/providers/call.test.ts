import { createServer, type RequestListener, type Server } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { OperationalError } from '@/lib/kit'
import { callProvider } from './call'

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
