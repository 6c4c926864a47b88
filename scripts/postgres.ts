import { spawnSync } from 'node:child_process'
import {
  chownSync,
  existsSync,
  mkdirSync,
  openSync,
  closeSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { sleep } from './files'
import { accountForRoot, type Account, chooseBinaries, chooseDataDir, PostgresError } from './postgres-place'
import { type Guarded, spawnGuarded, stopGuarded } from './guarded'

/** The role and the database of the shop inside its own PostgreSQL. */
export const DATABASE_USER = 'sluice'
export const DATABASE_NAME = 'sluice'

const WRONG_PASSWORD = '28P01'
const START_TIMEOUT_MS = 60_000
/** How long a PostgreSQL whose parent was killed gets to end by itself before we call it running. */
const ORPHAN_GRACE_MS = 15_000

export { PostgresError }

export type PostgresOptions = {
  /** The cluster's folder; made when absent. */
  dataDir: string
  port: number
  password: string
  /** False for tests and measurements of logic only: nothing is synced to disk. */
  durable: boolean
  /** Names the place under /var/lib/sluice when the folder cannot be used by PostgreSQL's user. */
  instanceId?: string
  /** Told in one line when data or binaries are kept elsewhere. */
  say?: (line: string) => void
}

export type RunningPostgres = {
  /** Address of the shop's database, with the password. */
  url: string
  /** The cluster's real folder. */
  dataDir: string
  /** Fast shutdown: open transactions are rolled back, everything committed is on disk. */
  stop: () => Promise<void>
  /** Resolves when PostgreSQL has ended for whatever reason. */
  ended: Promise<void>
}

/**
 * Starts PostgreSQL 18 on 127.0.0.1 with its own folder, making the cluster and the shop's database when they are not there yet.
 * Refuses (PostgresError, one sentence) when the folder is in use, the port is taken, the folder belongs to another user or the
 * disk does not play along. PostgreSQL ends when this process does, even when this process is killed.
 */
export async function startPostgres(options: PostgresOptions): Promise<RunningPostgres> {
  try {
    return await start(options)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
      throw new PostgresError(`PostgreSQL's data cannot be written to ${options.dataDir} by this user.`)
    if (code === 'ENOSPC' || code === 'EDQUOT')
      throw new PostgresError(`No space is left on the disk of ${options.dataDir}.`)
    throw error
  }
}

async function start(options: PostgresOptions): Promise<RunningPostgres> {
  const wanted = path.resolve(options.dataDir)
  const isRoot = process.getuid?.() === 0
  const account = isRoot ? accountForRoot(wanted) : undefined
  const dataDir = chooseDataDir(wanted, account, options)
  const binaries = chooseBinaries(account)
  if (existsSync(dataDir) && readable(dataDir) !== 'empty') assertOwner(dataDir, account)
  if (!existsSync(path.join(dataDir, 'PG_VERSION'))) initialise(dataDir, binaries, account, options)
  await clearStaleLock(dataDir)

  const logFile = `${dataDir}.log`
  const address = new URL(`postgresql://${DATABASE_USER}@127.0.0.1:${options.port}/${DATABASE_NAME}`)
  address.password = options.password
  const deadline = Date.now() + START_TIMEOUT_MS
  for (;;) {
    const guarded = launch(dataDir, binaries, account, options, logFile)
    const failure = await waitUntilReady(address, dataDir, guarded, deadline)
    if (failure === undefined) {
      await ensureDatabase(address)
      return { url: address.href, dataDir, stop: () => stopGuarded(guarded), ended: guarded.ended }
    }
    await stopGuarded(guarded)
    const said = lastLines(logFile)
    // The processes of a killed postmaster need a moment to notice; their memory block disappears with them.
    if (/pre-existing shared memory block|lock file ".*" already exists/.test(said) && Date.now() < deadline) {
      await sleep(500)
      continue
    }
    throw new PostgresError(explain(said, failure, { dataDir, logFile, port: options.port }))
  }
}

/** Makes the cluster beside its place and moves it there when it is whole, so that an interrupted first start leaves no half. */
function initialise(dataDir: string, binaries: string, account: Account | undefined, options: PostgresOptions): void {
  const unfinished = `${dataDir}.new`
  const passwordFile = `${dataDir}.password`
  mkdirSync(path.dirname(dataDir), { recursive: true })
  rmSync(unfinished, { recursive: true, force: true })
  mkdirSync(unfinished, { mode: 0o700 })
  writeFileSync(passwordFile, options.password, { mode: 0o600 })
  if (account) for (const each of [unfinished, passwordFile]) chownSync(each, account.uid, account.gid)
  try {
    const made = spawnSync(
      path.join(binaries, 'bin', 'initdb'),
      [
        `--pgdata=${unfinished}`,
        `--username=${DATABASE_USER}`,
        `--pwfile=${passwordFile}`,
        '--auth=scram-sha-256',
        '--encoding=UTF8',
        // The built-in provider sorts by code point the same on every machine, so indexes survive a change of system libraries.
        '--locale-provider=builtin',
        '--builtin-locale=C.UTF-8',
        '--locale=C',
        ...(options.durable ? [] : ['--no-sync']),
      ],
      { uid: account?.uid, gid: account?.gid, cwd: '/', encoding: 'utf8', env: cleanEnv() },
    )
    if (made.status !== 0) {
      const said = `${made.stderr ?? ''}${made.error?.message ?? ''}`
      throw new PostgresError(explain(said, 'initdb failed', { dataDir, logFile: undefined, port: options.port }))
    }
    if (existsSync(dataDir)) rmSync(dataDir, { recursive: true }) // an empty folder, or the remains of a failed removal
    renameSync(unfinished, dataDir)
  } finally {
    rmSync(passwordFile, { force: true })
    rmSync(unfinished, { recursive: true, force: true })
  }
}

/** Whether there is anything in the folder that this user can see. */
function readable(folder: string): 'empty' | 'used' {
  try {
    return readdirSync(folder).length === 0 ? 'empty' : 'used'
  } catch {
    return 'used'
  }
}

function assertOwner(dataDir: string, account: Account | undefined): void {
  const owner = statSync(dataDir).uid
  const runner = account?.uid ?? process.getuid?.() ?? owner
  if (owner !== runner)
    throw new PostgresError(
      `The database in ${dataDir} belongs to another user (number ${owner}): start it as that user.`,
    )
}

/**
 * A killed PostgreSQL leaves postmaster.pid behind, and its number may by now name some other process, which PostgreSQL would
 * take for itself. A living one on this folder is waited for (its parent may just have been killed) and then named.
 */
async function clearStaleLock(dataDir: string): Promise<void> {
  const lockFile = path.join(dataDir, 'postmaster.pid')
  const deadline = Date.now() + ORPHAN_GRACE_MS
  for (;;) {
    if (!existsSync(lockFile)) return
    const pid = Number(readFileSync(lockFile, 'utf8').split('\n')[0])
    if (!isPostgresOn(pid, dataDir)) {
      rmSync(lockFile, { force: true })
      return
    }
    if (Date.now() > deadline)
      throw new PostgresError(`A PostgreSQL (process ${pid}) is already running on ${dataDir}: stop it first.`)
    await sleep(200)
  }
}

function isPostgresOn(pid: number, dataDir: string): boolean {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return words.some((word) => word.endsWith('postgres')) && words.includes(dataDir)
  } catch {
    return false
  }
}

function launch(
  dataDir: string,
  binaries: string,
  account: Account | undefined,
  options: PostgresOptions,
  logFile: string,
): Guarded {
  const hasPlenty = os.totalmem() > 4 * 1024 ** 3
  const settings: Record<string, string> = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    max_connections: '200',
    shared_buffers: options.durable && hasPlenty ? '512MB' : '128MB',
    autovacuum_naptime: '5s',
    max_wal_size: '4GB',
    log_timezone: 'UTC',
    timezone: 'UTC',
    log_min_messages: 'warning',
    // Statements and their values hold customers' data and stay out of the log.
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    ...(options.durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
  }
  const args = ['-D', dataDir, '-p', String(options.port)]
  for (const [name, value] of Object.entries(settings)) args.push('-c', `${name}=${value}`)
  const log = openSync(logFile, 'w', 0o600)
  try {
    return spawnGuarded(path.join(binaries, 'bin', 'postgres'), args, {
      signal: 'INT',
      patient: true,
      cwd: '/',
      env: cleanEnv(),
      output: log,
      ...(account ? { account } : {}),
    })
  } finally {
    closeSync(log)
  }
}

/** PostgreSQL's own environment variables of the person at the keyboard (PGDATA, PGPORT …) must not leak in. */
function cleanEnv(): NodeJS.ProcessEnv {
  return { NODE_ENV: undefined, PATH: process.env.PATH, LC_ALL: 'C', TZ: 'UTC' } as unknown as NodeJS.ProcessEnv
}

/** Undefined when it answers; otherwise what was seen last. */
async function waitUntilReady(
  address: URL,
  dataDir: string,
  guarded: Guarded,
  deadline: number,
): Promise<string | undefined> {
  const postgres = new URL(address)
  postgres.pathname = '/postgres'
  let last = 'it did not answer in time'
  while (Date.now() < deadline) {
    if (guarded.hasEnded()) return 'it ended at once'
    const client = new Client({ connectionString: postgres.href, connectionTimeoutMillis: 2000 })
    try {
      await client.connect()
      // Another PostgreSQL may have the port; ours then ends in a moment, and this one is not to be touched.
      const asked = await client.query<{ folder: string }>("SELECT current_setting('data_directory') AS folder")
      if (asked.rows[0]?.folder === dataDir) return undefined
    } catch (error) {
      last = (error as Error).message
      if ((error as { code?: string }).code === WRONG_PASSWORD) {
        await Promise.race([guarded.ended, sleep(2000)])
        return guarded.hasEnded() ? 'it ended at once' : 'the password does not fit'
      }
    } finally {
      await client.end().catch(() => {})
    }
    await sleep(50)
  }
  return last
}

async function ensureDatabase(address: URL): Promise<void> {
  const postgres = new URL(address)
  postgres.pathname = '/postgres'
  const client = new Client({ connectionString: postgres.href })
  await client.connect()
  try {
    const found = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE_NAME])
    if (found.rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE_NAME}`)
  } finally {
    await client.end()
  }
}

function lastLines(file: string): string {
  try {
    return readFileSync(file, 'utf8').slice(-4000)
  } catch {
    return ''
  }
}

function explain(
  said: string,
  failure: string,
  where: { dataDir: string; logFile: string | undefined; port: number },
): string {
  if (/Address already in use/.test(said)) return `Port ${where.port} for PostgreSQL is taken by another program.`
  if (/No space left on device|Disk quota exceeded/.test(said))
    return `No space is left on the disk of ${where.dataDir}.`
  if (/Permission denied|could not access directory/.test(said))
    return `PostgreSQL may not write to ${where.dataDir}: check the rights on that folder.`
  if (/initialized by PostgreSQL version|incompatible with server/.test(said))
    return `The database in ${where.dataDir} was made by another version of PostgreSQL.`
  if (failure === 'the password does not fit')
    return `The database in ${where.dataDir} has another password than instance.json: restore that file, or both together from a backup.`
  const detail = said.trim().split('\n').at(-1) ?? ''
  return `PostgreSQL could not start on ${where.dataDir}: ${detail || failure}${where.logFile ? ` (see ${where.logFile})` : ''}`
}
