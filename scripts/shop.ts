import path from 'node:path'
import { demoSettings } from './demo-services'
import { isPortFree } from './files'
import { type Instance, movePostgresPort, openInstance, readInstance, StartError } from './instance'
import { PostgresError, type RunningPostgres, startPostgres } from './postgres'
import { checkSettings, loadSettings, ROOT } from './settings'

/** A data folder that was opened for running: its instance, its PostgreSQL (unless DATABASE_URL names one), its settings. */
export type Shop = {
  dataDir: string
  instance: Instance
  postgres: RunningPostgres | undefined
  /** The whole environment for a process of this shop, checked. */
  settings: NodeJS.ProcessEnv & { PORT: string; PUBLIC_URL: string; DATABASE_URL: string; SLUICE_MODE: string }
}

/** The data folder that the settings name, as an absolute path. */
export function dataFolder(): string {
  return path.resolve(ROOT, process.env.SLUICE_DATA_DIR || 'data')
}

/** The port on which the shop itself listens. */
export function shopPort(): number {
  return Number(process.env.PORT || 3000)
}

/**
 * Refuses (StartError, a list of names and reasons) settings that do not hold, before anything is made or started. What `npm start`
 * fills in by itself may be missing.
 */
export function checkShopSettings(): void {
  const isProduction = process.env.SLUICE_MODE === 'production'
  const filledIn = {
    DATABASE_URL: 'postgresql://127.0.0.1/filled-in-later',
    ...(isProduction ? {} : { AUTH_SECRET: 'filled-in-later-for-a-demo-shop-only' }),
  }
  try {
    checkSettings({ ...filledIn, ...given() })
  } catch (error) {
    throw new StartError((error as Error).message)
  }
}

/** What was set from outside; an empty value counts as not set. */
function given(): Record<string, string> {
  return Object.fromEntries(Object.entries(process.env).filter((entry): entry is [string, string] => Boolean(entry[1])))
}

/** The environment of a shop's processes: what was set from outside, and for the rest what this data folder was made with. */
export function shopSettings(instance: Instance, dataDir: string, databaseUrl: string): Shop['settings'] {
  const set = given()
  const port = String(shopPort())
  const isDemo = (set.SLUICE_MODE ?? 'demo') !== 'production'
  const demo: Record<string, string> = {}
  // A service of which anything was set from outside is the operator's; mixing in a stand-in's half would be neither.
  if (isDemo)
    for (const group of demoSettings(instance))
      if (!Object.keys(group).some((name) => set[name] !== undefined)) Object.assign(demo, group)
  return {
    ...(isDemo
      ? {
          AUTH_SECRET: instance.secrets.auth,
          SETTINGS_KEY: instance.secrets.settings,
          PUBLIC_URL: `http://localhost:${port}`,
          LOG_LEVEL: 'info',
        }
      : {}),
    ...demo,
    ...set,
    SLUICE_MODE: set.SLUICE_MODE ?? 'demo',
    PORT: port,
    DATABASE_URL: databaseUrl,
    SLUICE_DATA_DIR: dataDir,
    NODE_ENV: 'production',
    NEXT_TELEMETRY_DISABLED: '1',
  } as Shop['settings']
}

/**
 * Opens the data folder and starts its PostgreSQL, unless DATABASE_URL names one. The caller holds the folder's lock and stops
 * PostgreSQL in the end. Throws StartError or PostgresError.
 */
export async function openShop(say: (line: string) => void): Promise<Shop> {
  const dataDir = dataFolder()
  const instance = await openInstance(dataDir, [shopPort()])
  const outside = process.env.DATABASE_URL
  let postgres: RunningPostgres | undefined
  if (!outside) postgres = await startShopPostgres(dataDir, instance, say)
  const settings = shopSettings(instance, dataDir, outside || postgres!.url)
  return { dataDir, instance, postgres, settings }
}

async function startShopPostgres(
  dataDir: string,
  instance: Instance,
  say: (line: string) => void,
): Promise<RunningPostgres> {
  const start = () =>
    startPostgres({
      dataDir: path.join(dataDir, 'postgres'),
      port: instance.ports.postgres,
      password: instance.secrets.database,
      instanceId: instance.id,
      durable: true,
      say,
    })
  try {
    return await start()
  } catch (error) {
    if (!(error instanceof PostgresError) || (await isPortFree(instance.ports.postgres, '127.0.0.1'))) throw error
    await movePostgresPort(dataDir, instance, [shopPort()])
    return start()
  }
}

/** The settings of a shop that may be running already, for scripts beside it; undefined when this folder was never started. */
export function settingsOfRunningShop(): Shop['settings'] | undefined {
  loadSettings()
  const dataDir = dataFolder()
  const stored = readInstance(dataDir)
  if (!stored) return undefined
  const instance = stored as Instance
  const url = new URL(`postgresql://sluice@127.0.0.1:${instance.ports.postgres}/sluice`)
  url.password = instance.secrets.database
  return shopSettings(instance, dataDir, process.env.DATABASE_URL || url.href)
}
