import { execFileSync, fork, type ChildProcess } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { Client } from 'pg'
import { startMailFake } from '@/fakes/mail'
import type { Order } from './bench-lane'
import { migrate } from './migrate'
import { BENCH_WEBHOOK_SECRET, measureP99, startWeb } from './bench-web'
import { startPostgres } from './postgres'
import { chooseKeptPort } from './files'
import { ROOT } from './settings'

/**
 * `npm run bench -- [--only name,…] [--out FILE]`: how near the money path comes to what PostgreSQL can do. The limit is one prepared round trip
 * from a plain client that writes the same rows at the same concurrency, measured in the same run, in turns with the command, three
 * rounds; a ratio is the median of the command's rounds over the median of the limit's. Durable PostgreSQL, as npm start runs it.
 */
const ROUNDS = 3
const SECONDS = 4
const FEW = 10_000
const MANY = 1_000_000
const RENEWING = 100_000
const REWARDED = 100_000
const REACHED = 100_000

type Measure = Extract<Order, { do: 'measure' }>
type Measured = { done: number; seconds: number; buckets: number[] }
type Row = { name: string; against: string; unit: 'per second' | 'ms'; figure: number; limit: number; ratio: number }

const { values: options } = parseArgs({ options: { only: { type: 'string' }, out: { type: 'string' } } })
const only = options.only?.split(',')
const wanted = (name: string) => !only || only.some((each) => name === each || name.startsWith(`${each}.`))
const rows: Row[] = []

const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-bench-'))
chmodSync(folder, 0o755)
const postgres = await startPostgres({
  dataDir: path.join(folder, 'postgres'),
  port: await chooseKeptPort(new Set()),
  password: randomBytes(16).toString('hex'),
  durable: true,
})
const lanes: ChildProcess[] = []
const settingsKey = randomBytes(32).toString('hex')
const environment = (url: URL) => ({
  ...process.env,
  SLUICE_MODE: 'test',
  DATABASE_URL: url.href,
  DATABASE_POOL: '16',
  AUTH_SECRET: randomBytes(24).toString('hex'),
  SETTINGS_KEY: settingsKey,
  LOG_LEVEL: 'silent',
})
try {
  await run()
} finally {
  for (const lane of lanes) lane.disconnect()
  await postgres.stop()
  rmSync(folder, { recursive: true, force: true })
}

async function run(): Promise<void> {
  const few = await openLane('bench_few', FEW)
  for (const what of ['placeOrder', 'settlePayment'] as const) {
    for (const on of ['spread', 'hot'] as const) {
      for (const clients of [1, 8, 16]) {
        const name = `${what}.${on}.c${clients}`
        if (!wanted(name)) continue
        const [command, limit] = await inTurns([
          () => ask(few, { do: 'measure', what, by: 'command', on, clients, seconds: SECONDS }),
          () => ask(few, { do: 'measure', what, by: 'limit', on, clients, seconds: SECONDS }),
        ])
        // On one customer the limit of the ratio is one client: more of them must not make it slower.
        note(name, 'one prepared round trip', command!, limit!)
      }
    }
  }
  const hot = rows.find((row) => row.name === 'placeOrder.hot.c16')
  const hotAlone = rows.find((row) => row.name === 'placeOrder.hot.c1')
  if (hot && hotAlone) note('placeOrder.hot.c16', 'placeOrder.hot.c1', hot.figure, hotAlone.figure)
  if (wanted('placeOrder.hot.minute')) {
    const { buckets } = await askWhole(few, {
      do: 'measure',
      what: 'placeOrder',
      by: 'command',
      on: 'hot',
      clients: 8,
      seconds: 60,
    })
    const sum = (from: number, to: number) =>
      buckets.slice(from, to).reduce((total, each) => total + (each ?? 0), 0) / 10
    note('placeOrder.hot.minute', 'its own first ten seconds', sum(50, 60), sum(0, 10))
  }
  if (wanted('settlePayment.batch')) {
    const limit: Measure = {
      do: 'measure',
      what: 'settlePayment',
      by: 'limit',
      on: 'spread',
      clients: 8,
      seconds: SECONDS,
    }
    const [batch, single] = await inTurns([() => ask(few, { do: 'reconcile', payments: FEW }), () => ask(few, limit)])
    note('settlePayment.batch', 'one prepared round trip each, 8 clients', batch!, single!)
  }
  if (wanted('renewals.batch')) await measureRenewals()
  if (wanted('commissions.batch')) await measureRewards()
  if (wanted('campaigns.batch')) await measureCampaigns()
  if (wanted('callback.p99')) await measureCallbacks(few)
  if (wanted('growth.placeOrder')) {
    const many = await openLane('bench_many', MANY)
    const order: Measure = {
      do: 'measure',
      what: 'placeOrder',
      by: 'command',
      on: 'spread',
      clients: 8,
      seconds: SECONDS,
    }
    const [grown, young] = await inTurns([() => ask(many, order), () => ask(few, order)])
    note('growth.placeOrder', `the same with ${FEW} entries`, grown!, young!)
  }
  report()
}

/** A hundred thousand orders due in one night, all from stock. */
async function measureRenewals(): Promise<void> {
  const lane = await openLane('bench_renewals', FEW)
  console.log(`Delivering ${RENEWING} orders that renew themselves …`)
  await tell(lane, { do: 'renewing', orders: RENEWING })
  let peakMiB = 0
  const renew = async (by: 'command' | 'limit') => {
    const round = (await tell(lane, { do: 'renew', by })) as { done: number; seconds: number; peakMiB: number }
    peakMiB = Math.max(peakMiB, round.peakMiB)
    return round.done / round.seconds
  }
  const [command, limit] = await inTurns([() => renew('command'), () => renew('limit')])
  note('renewals.batch', `the same SQL function from a plain client, ${RENEWING} orders`, command!, limit!)
  console.log(`${''.padEnd(28)} the run's memory rose by ${peakMiB} MiB at most`)
}

/** The rewards of a hundred thousand orders, made and let go in one run. */
async function measureRewards(): Promise<void> {
  const lane = await openLane('bench_rewards', FEW)
  console.log(`Delivering ${REWARDED} orders of referred people …`)
  await tell(lane, { do: 'referred', orders: REWARDED })
  let peakMiB = 0
  const reward = async (by: 'command' | 'limit') => {
    const round = (await tell(lane, { do: 'reward', by })) as { done: number; seconds: number; peakMiB: number }
    peakMiB = Math.max(peakMiB, round.peakMiB)
    return round.done / round.seconds
  }
  const [command, limit] = await inTurns([() => reward('command'), () => reward('limit')])
  note('commissions.batch', `the same SQL functions from a plain client, ${REWARDED} orders`, command!, limit!)
  console.log(`${''.padEnd(28)} the run's memory rose by ${peakMiB} MiB at most`)
}

/** A campaign to a hundred thousand people, against a stand-in for the mail service in this process, without a rate. */
async function measureCampaigns(): Promise<void> {
  const mail = await startMailFake({ port: 0, apiKey: 'bench-resend-key' })
  try {
    const lane = await openLane('bench_campaigns', FEW, {
      RESEND_API_URL: mail.url,
      RESEND_API_KEY: 'bench-resend-key',
    })
    await tell(lane, { do: 'readers', people: REACHED })
    let peakMiB = 0
    const send = async (by: 'command' | 'limit') => {
      const round = (await tell(lane, { do: 'campaign', by, people: REACHED })) as {
        done: number
        seconds: number
        peakMiB: number
      }
      peakMiB = Math.max(peakMiB, round.peakMiB)
      return round.done / round.seconds
    }
    const [command, limit] = await inTurns([() => send('command'), () => send('limit')])
    note('campaigns.batch', `a plain loop of the same batches, ${REACHED} recipients`, command!, limit!)
    console.log(`${''.padEnd(28)} the run's memory rose by ${peakMiB} MiB at most`)
  } finally {
    await mail.close()
  }
}

/** How much longer a callback takes than a route that does nothing, at the same concurrency, in the slowest one of a hundred. Lower is better. */
async function measureCallbacks(lane: ChildProcess): Promise<void> {
  await tell(lane, { do: 'provider', webhookSecret: BENCH_WEBHOOK_SECRET })
  const url = new URL(postgres.url)
  url.pathname = '/bench_few'
  const web = await startWeb(environment(url))
  try {
    const [callback, empty] = await inTurns([
      () => measureP99(web.url, 'callback', 16, SECONDS),
      () => measureP99(web.url, 'empty', 16, SECONDS),
    ])
    const ratio = Number((callback! / empty!).toFixed(3))
    rows.push({ name: 'callback.p99', against: 'an empty route', unit: 'ms', figure: callback!, limit: empty!, ratio })
    console.log(
      `${'callback.p99'.padEnd(28)} ${callback!.toFixed(1).padStart(8)} ms  against ${empty!.toFixed(1).padStart(8)} ms  ratio ${ratio.toFixed(2)}  (an empty route, 16 clients; lower is better)`,
    )
  } finally {
    web.stop()
  }
}

/** A migrated database with as many older entries as asked, and the process that works on it. */
async function openLane(name: string, entries: number, more: Record<string, string> = {}): Promise<ChildProcess> {
  const admin = new Client({ connectionString: postgres.url })
  await admin.connect()
  await admin.query(`CREATE DATABASE ${name}`)
  await admin.end()
  const url = new URL(postgres.url)
  url.pathname = `/${name}`
  await migrate(url.href)
  const lane = fork(path.join(ROOT, 'scripts/bench-lane.ts'), {
    execArgv: ['--import', 'tsx'],
    env: { ...environment(url), ...more },
  })
  lanes.push(lane)
  console.log(`Filling ${name} with ${entries} entries …`)
  await tell(lane, { do: 'fill', entries })
  return lane
}

function tell(lane: ChildProcess, order: Order): Promise<unknown> {
  return new Promise((resolve, reject) => {
    lane.once('message', (answer: { ok: boolean; result: unknown; error?: string }) =>
      answer.ok ? resolve(answer.result) : reject(new Error(answer.error)),
    )
    lane.send(order)
  })
}

async function askWhole(lane: ChildProcess, order: Order): Promise<Measured> {
  return (await tell(lane, order)) as Measured
}

/** How much was done in a second. */
async function ask(lane: ChildProcess, order: Order): Promise<number> {
  const { done, seconds } = await askWhole(lane, order)
  return done / seconds
}

/** Several rounds, the sides in turns, so that a slow minute of the machine falls on all; the median of each. One uncounted round first. */
async function inTurns(sides: (() => Promise<number>)[]): Promise<number[]> {
  const figures: number[][] = sides.map(() => [])
  for (const side of sides) await side()
  for (let round = 0; round < ROUNDS; round += 1)
    for (const [index, side] of sides.entries()) figures[index]!.push(await side())
  return figures.map((each) => each.toSorted((a, b) => a - b)[Math.floor(each.length / 2)]!)
}

function note(name: string, against: string, perSecond: number, limitPerSecond: number): void {
  const row = {
    name,
    against,
    unit: 'per second' as const,
    figure: Math.round(perSecond),
    limit: Math.round(limitPerSecond),
    ratio: Number((perSecond / limitPerSecond).toFixed(3)),
  }
  rows.push(row)
  console.log(
    `${row.name.padEnd(28)} ${String(row.figure).padStart(8)}/s  against ${String(row.limit).padStart(8)}/s  ratio ${row.ratio.toFixed(2)}  (${against})`,
  )
}

function report(): void {
  const ratios = Object.fromEntries(rows.map((row) => [row.name, row.ratio]))
  const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
  const machine = { cpus: os.cpus().length, memoryGiB: Math.round(os.totalmem() / 2 ** 30), node: process.version }
  if (options.out) writeFileSync(options.out, `${JSON.stringify({ commit, machine, rows, ratios }, null, 2)}\n`)
  console.log(`\nFigures are ratios to a limit measured in the same run; ${ROUNDS} rounds in turns, medians.`)
}
