import { type ChildProcess, spawn } from 'node:child_process'
import { createHmac, randomBytes } from 'node:crypto'
import http from 'node:http'
import path from 'node:path'
import { buildIfStale } from './build'
import { chooseKeptPort, sleep } from './files'
import { ROOT } from './settings'

/** The webhook secret of the one provider that the measured shop has. */
export const BENCH_WEBHOOK_SECRET = `whsec_${randomBytes(32).toString('base64')}`

const PAYER = { email: 'nobody@example.test', name: 'Nobody' }

/** A built web process of the shop under measurement, as `npm start` runs it. */
export async function startWeb(env: NodeJS.ProcessEnv): Promise<{ url: string; stop: () => void }> {
  const port = await chooseKeptPort(new Set())
  const url = `http://127.0.0.1:${port}`
  const settings = {
    ...env,
    SLUICE_MODE: 'demo',
    PORT: String(port),
    PUBLIC_URL: url,
    NODE_ENV: 'production' as const,
    NEXT_TELEMETRY_DISABLED: '1',
  }
  await buildIfStale(settings, console.log)
  const next = path.join(ROOT, 'node_modules/next/dist/bin/next')
  const child: ChildProcess = spawn(process.execPath, [next, 'start', '-p', String(port)], {
    cwd: ROOT,
    stdio: 'ignore',
    env: settings,
  })
  const deadline = Date.now() + 60_000
  while (Date.now() < deadline) {
    const isReady = await fetch(`${url}/api/ready`).then(
      (answer) => answer.ok,
      () => false,
    )
    if (isReady) return { url, stop: () => child.kill('SIGTERM') }
    await sleep(100)
  }
  child.kill('SIGTERM')
  throw new Error('The web process did not become ready.')
}

/** The time below which 99 of 100 requests were answered, in milliseconds, with so many clients that each ask again once they are answered. */
export async function measureP99(
  url: string,
  what: 'empty' | 'callback',
  clients: number,
  seconds: number,
): Promise<number> {
  const agent = new http.Agent({ keepAlive: true, maxSockets: clients })
  const times: number[] = []
  const until = performance.now() + seconds * 1000
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (performance.now() < until) {
        const begun = performance.now()
        const status = await (what === 'empty'
          ? send(agent, `${url}/api/health`, 'GET', {}, '')
          : sendCallback(agent, `${url}/api/webhooks/fakepay`))
        times.push(performance.now() - begun)
        if (status !== (what === 'empty' ? 200 : 202)) throw new Error(`${what} was answered ${status}`)
      }
    }),
  )
  agent.destroy()
  return times.sort((one, other) => one - other)[Math.floor(times.length * 0.99)]!
}

/** A callback as the demo's provider sends it, about an invoice of its own each time: every one is stored. */
function sendCallback(agent: http.Agent, url: string): Promise<number> {
  const id = randomBytes(12).toString('hex')
  const timestamp = String(Math.floor(Date.now() / 1000))
  const body = JSON.stringify({
    type: 'invoice.changed',
    data: { id: `fpi_${id}`, orderId: `pay_${id}00000000`, state: 'paid', paid: '20.00', payer: PAYER },
  })
  const key = Buffer.from(BENCH_WEBHOOK_SECRET.slice('whsec_'.length), 'base64')
  const signature = createHmac('sha256', key).update(`msg_${id}.${timestamp}.${body}`).digest('base64')
  const headers = {
    'content-type': 'application/json',
    'webhook-id': `msg_${id}`,
    'webhook-timestamp': timestamp,
    'webhook-signature': `v1,${signature}`,
  }
  return send(agent, url, 'POST', headers, body)
}

function send(
  agent: http.Agent,
  url: string,
  method: string,
  headers: Record<string, string>,
  body: string,
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, method, headers }, (answer) => {
      answer.resume()
      answer.once('end', () => resolve(answer.statusCode ?? 0))
    })
    request.once('error', reject)
    request.end(body)
  })
}
