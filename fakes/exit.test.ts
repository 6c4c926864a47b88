import { afterAll, beforeAll, expect, test } from 'vitest'
import { request } from 'node:http'
import { connect } from 'node:net'
import { type Echo, startEcho } from './echo'
import { type Exit, exitAddress, exitHost, startExit, stockCredential } from './exit'
import { type Px6Fake, startPx6Fake } from './px6'

const EXIT_KEY = 'exit-key'
let px6: Px6Fake
let exit: Exit
let echo: Echo

beforeAll(async () => {
  px6 = await startPx6Fake({ port: 0, apiKey: 'key', exitPort: 1 })
  exit = await startExit({ port: 0, key: EXIT_KEY, isSold: (username, password) => px6.isSold(username, password) })
  echo = await startEcho({ port: 0 })
})
afterAll(async () => {
  await Promise.all([px6.close(), exit.close(), echo.close()])
})

function authorization(login: { username: string; password: string }): string {
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
}

/** A plain HTTP request through the exit, as curl -x makes it. */
function getThrough(
  login: { username: string; password: string },
  host = '127.0.0.1',
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const call = request(
      {
        host,
        port: exit.port,
        path: `${echo.url}/`,
        headers: { 'proxy-authorization': authorization(login) },
      },
      (answer) => {
        let text = ''
        answer.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
        answer.on('end', () => resolve({ status: answer.statusCode ?? 0, text }))
      },
    )
    call.once('error', reject)
    call.end()
  })
}

/** The same through a CONNECT tunnel. Resolves with everything the tunnel said. */
function tunnelThrough(login: { username: string; password: string }): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(exit.port, '127.0.0.1')
    let text = ''
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      const isFirst = text === ''
      text += chunk
      if (isFirst && chunk.includes(' 200 ')) socket.write('GET / HTTP/1.1\r\nHost: echo\r\nConnection: close\r\n\r\n')
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(text))
    const target = `127.0.0.1:${echo.port}`
    socket.write(
      `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\nProxy-Authorization: ${authorization(login)}\r\n\r\n`,
    )
  })
}

test('stock credentials work, each from an address of its own', async () => {
  const first = stockCredential(1, EXIT_KEY)
  const second = stockCredential(2, EXIT_KEY)
  expect((await getThrough(first)).text).toContain(`through the exit ${exitAddress(first.username)}.`)
  expect(await tunnelThrough(second)).toContain(`through the exit ${exitAddress(second.username)}.`)
  expect(exitAddress(first.username)).not.toBe(exitAddress(second.username))
})

test('what px6 sold works until it is deleted', async () => {
  const reply = (await (await fetch(`${px6.url}/api/key/buy/?count=1&period=3&country=de&version=4&nokey`)).json()) as {
    list: { user: string; pass: string; ip: string }[]
  }
  const [sold] = reply.list
  const login = { username: sold!.user, password: sold!.pass }
  expect((await getThrough(login)).text).toContain(`through the exit ${sold!.ip}.`)
  await fetch(`${px6.url}/api/key/delete/?descr=`)
  expect((await getThrough(login)).status).toBe(407)
})

test('one login through several addresses of the exit comes out of several addresses', async () => {
  const login = stockCredential(1, EXIT_KEY)
  const texts = await Promise.all([0, 1, 249].map(async (index) => (await getThrough(login, exitHost(index))).text))
  for (const text of texts) expect(text).toContain('through the exit 127.')
  expect(new Set(texts).size).toBe(3)
  expect((await getThrough({ ...login, password: 'wrong' }, exitHost(1))).status).toBe(407)
})

test('nobody else gets in', async () => {
  for (const login of [
    { username: 'stock-000001', password: stockCredential(2, EXIT_KEY).password },
    { username: 'stock-000001', password: stockCredential(1, 'another key').password },
    { username: 'somebody', password: '' },
    { username: '', password: '' },
  ]) {
    expect((await getThrough(login)).status).toBe(407)
    expect(await tunnelThrough(login)).toContain(' 407 ')
  }
})

test('without a proxy the page says so', async () => {
  expect(await (await fetch(echo.url)).text()).toContain('directly')
})
