import path from 'node:path'
import { Client } from 'pg'
import { StartError, takeLock } from './instance'
import { migrate } from './migrate'
import { PostgresError } from './postgres'
import { runScript } from './run-script'
import { dataFolder, openShop, settingsOfRunningShop } from './shop'

/**
 * Runs a script against this shop's database: the one DATABASE_URL names, the running shop's, or, when the shop is stopped, its
 * PostgreSQL started for as long as the script runs.
 *
 *   tsx scripts/with-shop.ts scripts/check-ledger.ts [arguments]
 */
const [file, ...args] = process.argv.slice(2)
if (!file) throw new Error('Say which script to run.')

try {
  process.exitCode = await run(file)
} catch (error) {
  const isForPeople = error instanceof StartError || error instanceof PostgresError
  console.error(isForPeople ? error.message : error)
  process.exitCode = 1
}
process.exit()

async function run(script: string): Promise<number> {
  const settings = settingsOfRunningShop()
  if (!settings && !process.env.DATABASE_URL)
    throw new StartError(`There is no shop in ${dataFolder()} yet: start it once with npm start, or set DATABASE_URL.`)
  if (process.env.DATABASE_URL || (settings && (await answers(settings.DATABASE_URL))))
    return (await runScript(script, { ...process.env, ...settings }, { args, show: true })).code
  const lock = takeLock(path.join(dataFolder(), 'start.lock'))
  if ('heldBy' in lock) throw new StartError('The shop is just starting or stopping; try again in a moment.')
  const shop = await openShop(console.error).catch((error: unknown) => {
    lock.release()
    throw error
  })
  try {
    await migrate(shop.settings.DATABASE_URL)
    return (await runScript(script, shop.settings, { args, show: true })).code
  } finally {
    await shop.postgres?.stop()
    lock.release()
  }
}

async function answers(url: string): Promise<boolean> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 2000 })
  try {
    await client.connect()
    return true
  } catch {
    return false
  } finally {
    await client.end().catch(() => {})
  }
}
