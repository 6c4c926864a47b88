import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { Client } from 'pg'
import { buildIfStale } from './build'
import { demoServices, type DemoServices } from './demo-services'
import { isPortFree, sleep } from './files'
import { type Instance, openInstance, StartError, takeLock, writeWhole } from './instance'
import { migrate } from './migrate'
import { PostgresError } from './postgres'
import { checkShopSettings, dataFolder, openShop, type Shop, shopPort } from './shop'
import { loadSettings } from './settings'
import { runScript } from './run-script'
import { supervise, type Supervised } from './supervise'

/**
 * The whole shop with one command: PostgreSQL (unless DATABASE_URL names one), migrations, in demo mode the stand-ins and the demo's
 * content, the build, then web and worker, until a signal says stop. See README, "Running it".
 */
const READY_TIMEOUT_MS = 120_000
/** Just killed processes of an earlier start may hold their ports a little longer than their lock. */
const PORT_GRACE_MS = 15_000

const say = (line: string) => console.log(line)

/** What was started, in the order of its start; stopped from the last to the first, except that the web goes before the worker. */
const running: { web?: Supervised; worker?: Supervised; fakes?: Supervised; shop?: Shop; release?: () => void } = {}
let stopping: Promise<never> | undefined

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void stop(0))
// The channel to bootstrap.mjs closes when that process is gone, killed or not.
process.on('disconnect', () => void stop(0))

try {
  await start()
} catch (error) {
  if (!stopping) {
    const isForPeople = error instanceof StartError || error instanceof PostgresError
    console.error(isForPeople ? error.message : error)
    await stop(1)
  }
}

async function start(): Promise<void> {
  loadSettings()
  checkShopSettings()
  const dataDir = dataFolder()
  const isDemo = process.env.SLUICE_MODE !== 'production'
  const port = shopPort()
  const instance = await openInstance(dataDir, [port])
  const lock = takeLock(path.join(dataDir, 'start.lock'))
  if ('heldBy' in lock)
    throw new StartError(
      `The shop in ${dataDir} is already running (process ${lock.heldBy}); stop it, or choose another folder with SLUICE_DATA_DIR.`,
    )
  running.release = lock.release
  await assertPortsFree(port, isDemo ? instance : undefined, lock.wasStale)

  const shop = await openShop(say)
  running.shop = shop
  shop.postgres?.ended.then(
    () => {
      if (stopping) return
      console.error('PostgreSQL ended by itself; its log lies beside its data.')
      void stop(1)
    },
    () => {},
  )
  await migrate(shop.settings.DATABASE_URL)
  const logDir = path.join(dataDir, 'logs')
  const program = (name: string, args: string[]) =>
    supervise({ name, args, env: shop.settings, logDir, say: (line) => void (stopping || say(line)) })
  const services = demoServices(shop.instance, shop.settings.PUBLIC_URL)
  if (isDemo) {
    mkdirSync(path.join(dataDir, 'fakes'), { recursive: true, mode: 0o700 })
    running.fakes = program('fakes', ['--import', 'tsx', 'fakes/main.ts', dataDir, shop.settings.PUBLIC_URL])
    await seedWhenEmpty(shop, services)
  }
  await buildIfStale(shop.settings, say)
  if (stopping) return
  running.worker = program('worker', ['--import', 'tsx', 'worker/main.ts'])
  running.web = program('web', ['node_modules/next/dist/bin/next', 'start', '-p', shop.settings.PORT])
  await waitUntilReady(`http://127.0.0.1:${port}/api/ready`, running.web)
  if (!stopping) announceReady(shop, isDemo ? services : undefined)
}

async function assertPortsFree(port: number, instance: Instance | undefined, wasKilled: boolean): Promise<void> {
  const deadline = Date.now() + (wasKilled ? PORT_GRACE_MS : 0)
  const isTaken = async (each: number, host?: string) => {
    while (!(await isPortFree(each, host))) {
      if (Date.now() >= deadline) return true
      await sleep(250)
    }
    return false
  }
  const namesake = Object.entries(instance?.ports ?? {}).find(([, each]) => each === port)?.[0]
  if (namesake)
    throw new StartError(
      `Port ${port} is the one this data folder keeps for its ${namesake} stand-in; choose another one: PORT=${port + 1} npm start`,
    )
  if (await isTaken(port))
    throw new StartError(
      `Port ${port} is taken by another program; stop it, or choose another one: PORT=${port + 1} npm start`,
    )
  for (const [name, each] of Object.entries(instance?.ports ?? {})) {
    if (name !== 'postgres' && (await isTaken(each, '127.0.0.1')))
      throw new StartError(
        `Port ${each}, which this data folder keeps for its ${name} stand-in, is taken by another program; stop that program first.`,
      )
  }
}

/** The demo's content is written once; `demo.json` is its last step, so a seed that was interrupted runs again. */
async function seedWhenEmpty(shop: Shop, services: DemoServices): Promise<void> {
  const demoFile = path.join(shop.dataDir, 'demo.json')
  const isNew = !existsSync(demoFile)
  if (isNew) say('Filling the shop with a demo catalogue …')
  // A data folder of an older Sluice kept its ways to pay in the environment.
  if (isNew || !(await hasProviders(shop.settings.DATABASE_URL))) {
    const env = { ...shop.settings, SLUICE_DEMO_SERVICES: JSON.stringify(services) }
    const { code, output } = await runScript('prisma/seed.ts', env)
    if (code !== 0) throw new StartError(`The demo content could not be written:\n${output.trim()}`)
  }
  if (isNew) return
  // PORT or PUBLIC_URL may differ from last time.
  const demo = JSON.parse(readFileSync(demoFile, 'utf8')) as Record<string, unknown>
  const { exit: _, providerSettings: __, ...addresses } = services
  const refreshed = { ...demo, ...addresses }
  if (JSON.stringify(refreshed) !== JSON.stringify(demo)) writeWhole(demoFile, refreshed)
}

async function hasProviders(databaseUrl: string): Promise<boolean> {
  const client = new Client({ connectionString: databaseUrl })
  await client.connect()
  try {
    const { rowCount } = await client.query('SELECT 1 FROM payment_providers LIMIT 1')
    return rowCount === 1
  } finally {
    await client.end()
  }
}

async function waitUntilReady(url: string, web: Supervised): Promise<void> {
  const deadline = Date.now() + READY_TIMEOUT_MS
  let last = 'no answer yet'
  while (Date.now() < deadline && !stopping) {
    try {
      const answer = await fetch(url, { signal: AbortSignal.timeout(5000) })
      if (answer.ok) return
      last = `status ${answer.status}`
    } catch (error) {
      last = (error as Error).message
    }
    if (web.endings() >= 3) break
    await sleep(100)
  }
  if (!stopping)
    throw new StartError(
      `The web process did not become ready (${last}). The end of its log:\n${web.lastLines().trim()}`,
    )
}

function announceReady(shop: Shop, services: DemoServices | undefined): void {
  say('')
  say(`  Shop    ${shop.settings.PUBLIC_URL}`)
  if (services) {
    say(`  Inbox   ${services.inboxUrl}   (every mail of the demo)`)
    const demo = JSON.parse(readFileSync(path.join(shop.dataDir, 'demo.json'), 'utf8')) as {
      owner?: { email: string; password: string }
      promotionCode?: string
    }
    if (demo.owner) say(`  Owner   ${demo.owner.email}   password ${demo.owner.password}`)
    if (demo.promotionCode) say(`  Code    ${demo.promotionCode}   (10 % off an order)`)
  }
  say(`  Data    ${shop.dataDir}`)
  say(`  Logs    ${path.join(shop.dataDir, 'logs')}`)
  say('')
  say(
    services
      ? 'A demo: payments, supplier and mail are stand-ins on this machine. Ctrl-C stops it.'
      : 'Ready. Ctrl-C stops it.',
  )
}

/** Stops everything in the order in which nothing loses what it stands on, once, however many signals come. */
function stop(code: number): Promise<never> {
  stopping ??= (async () => {
    if (running.web || running.shop) say('Stopping …')
    await running.web?.stop()
    await running.worker?.stop()
    await running.fakes?.stop()
    await running.shop?.postgres?.stop()
    running.release?.()
    process.exit(code)
  })()
  return stopping
}
