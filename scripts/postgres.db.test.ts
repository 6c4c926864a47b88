import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { afterAll, expect, test } from 'vitest'
import { chooseKeptPort } from './files'
import { PostgresError, startPostgres } from './postgres'
import { ROOT } from './settings'

const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-postgres-'))
chmodSync(folder, 0o755)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const dataDir = path.join(folder, 'cluster')
const start = async (port: number, dir = dataDir) =>
  startPostgres({ dataDir: dir, port, password: 'a:b/c@d', durable: false })

async function ask(url: string, sql: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

/** A process that starts this cluster and is then killed without a word, as a start may be. */
async function startAndKill(port: number): Promise<void> {
  const program = `import('${ROOT}/scripts/postgres.ts').then(async ({ startPostgres }) => {
    await startPostgres({ dataDir: '${dataDir}', port: ${port}, password: 'a:b/c@d', durable: false })
    console.log('up')
  })`
  const child = spawn(process.execPath, ['--import', 'tsx', '-e', program], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGKILL')
}

test('data outlives a stop, a killed parent and a stale lock file; only one start owns a folder', async () => {
  const port = await chooseKeptPort(new Set())
  const first = await start(port)
  await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS one')
  // Another cluster on the same port is told so, and does not talk to the first one by mistake.
  await expect(start(port, path.join(folder, 'other'))).rejects.toThrow(`Port ${port}`)
  await first.stop()

  // The killed parent's PostgreSQL ends by itself, and the next start waits for that.
  await startAndKill(port)
  const second = await start(port)
  expect(await ask(second.url, 'SELECT one FROM kept')).toEqual([{ one: 1 }])
  const lock = readFileSync(path.join(second.dataDir, 'postmaster.pid'), 'utf8')
  expect(Number(lock.split('\n')[0])).toBeGreaterThan(1)
  await second.stop()
})

test('a password that does not fit is said in one sentence', async () => {
  const port = await chooseKeptPort(new Set())
  const wrong = startPostgres({ dataDir, port, password: 'another', durable: false })
  const error: unknown = await wrong.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(PostgresError)
  expect((error as Error).message).toContain('another password')
})
