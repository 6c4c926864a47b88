import { randomBytes } from 'node:crypto'
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { chooseKeptPort } from './files'

/**
 * What a data folder is, and the file that says so. `instance.json` is written once and kept: which ports its processes use (proxies
 * that were sold name one of them), and the secrets that its rows and its stand-ins were made with.
 */
export type Instance = {
  /** Raised when an older Sluice could no longer read the folder. */
  format: number
  id: string
  createdAt: string
  ports: Record<PortName, number>
  secrets: Record<SecretName, string>
}

export const FORMAT = 1

const PORT_NAMES = [
  'postgres',
  'mail',
  'telegram',
  'fakepay',
  'cryptocloud',
  'btcpay',
  'stripe',
  'nowpayments',
  'cryptomus',
  'yookassa',
  'px6',
  'iproyal',
  'iproyalResidential',
  'webshare',
  'proxySeller',
  'proxyCheap',
  'exit',
  'echo',
] as const
export type PortName = (typeof PORT_NAMES)[number]

const SECRET_NAMES = [
  'auth',
  'settings',
  'database',
  'mailKey',
  'telegramBot',
  'mailWebhook',
  'fakepayKey',
  'fakepayWebhook',
  'cryptocloudKey',
  'cryptocloudShopId',
  'cryptocloud',
  'btcpayKey',
  'btcpayStoreId',
  'btcpay',
  'stripeKey',
  'stripeWebhook',
  'nowpaymentsKey',
  'nowpayments',
  'nowpaymentsPassword',
  'cryptomusMerchantId',
  'yookassaShopId',
  'yookassa',
  'cryptomus',
  'px6Key',
  'iproyalKey',
  'iproyalResidentialKey',
  'webshareKey',
  'proxySellerKey',
  'proxyCheapKey',
  'proxyCheapSecret',
  'exitKey',
] as const
export type SecretName = (typeof SECRET_NAMES)[number]

/** Something the person at the keyboard can mend; its message is one sentence and all they are shown. */
export class StartError extends Error {
  override name = 'StartError'
}

/**
 * Opens the data folder, making it and `instance.json` on the first start. The ports it chooses are none of `reserved` (the shop's own
 * port, on which nobody listens yet). Throws StartError.
 */
export async function openInstance(dataDir: string, reserved: number[] = []): Promise<Instance> {
  const isRoot = process.getuid?.() === 0
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    accessSync(dataDir, constants.W_OK | constants.X_OK)
    // PostgreSQL's own user must pass through the folder when root starts it; every secret file in it has its own rights.
    chmodSync(dataDir, isRoot ? 0o711 : 0o700)
  } catch (error) {
    throw explainDisk(error, dataDir)
  }
  const file = path.join(dataDir, 'instance.json')
  const found = readInstance(dataDir)
  if (found) {
    const instance = await complete(found, reserved)
    if (JSON.stringify(instance) !== JSON.stringify(found)) writeWhole(file, instance)
    return instance
  }
  const instance = await complete(
    {
      format: FORMAT,
      id: randomBytes(8).toString('hex'),
      createdAt: new Date().toISOString(),
      ports: {},
      secrets: {},
    },
    reserved,
  )
  writeWhole(file, instance)
  return instance
}

type Stored = Omit<Instance, 'ports' | 'secrets'> & {
  ports: Partial<Record<PortName, number>>
  secrets: Partial<Record<SecretName, string>>
}

/** The folder's `instance.json`, or undefined when it was never started. Throws StartError when it cannot be understood. */
export function readInstance(dataDir: string): Stored | undefined {
  const file = path.join(dataDir, 'instance.json')
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw explainDisk(error, file)
  }
  let found: Partial<Stored>
  try {
    found = JSON.parse(text) as Partial<Stored>
  } catch {
    throw new StartError(`${file} is damaged: restore it from a backup of the data folder.`)
  }
  if (typeof found.format !== 'number' || typeof found.id !== 'string' || !/^[0-9a-f]{16}$/.test(found.id))
    throw new StartError(`${file} is damaged: restore it from a backup of the data folder.`)
  if (found.format > FORMAT)
    throw new StartError(
      `The data in ${dataDir} were written by a newer Sluice (format ${found.format}, this one knows ${FORMAT}): update Sluice to open them.`,
    )
  return {
    format: found.format,
    id: found.id,
    createdAt: found.createdAt ?? '',
    ports: found.ports ?? {},
    secrets: found.secrets ?? {},
  }
}

/** Adds the ports and secrets that an older Sluice did not have yet. */
async function complete(stored: Stored, reserved: number[]): Promise<Instance> {
  const ports = { ...stored.ports }
  for (const name of PORT_NAMES) ports[name] ??= await chooseKeptPort(new Set([...reserved, ...Object.values(ports)]))
  const secrets = { ...stored.secrets }
  // A key of AES-256 has 32 bytes.
  secrets.settings ??= randomBytes(32).toString('hex')
  for (const name of SECRET_NAMES) secrets[name] ??= randomBytes(24).toString('hex')
  // Standard Webhooks names its secrets so.
  for (const name of ['fakepayWebhook', 'mailWebhook'] as const)
    if (!secrets[name]?.startsWith('whsec_')) secrets[name] = `whsec_${randomBytes(32).toString('base64')}`
  return { ...stored, ports: ports as Instance['ports'], secrets: secrets as Instance['secrets'] }
}

/** Gives PostgreSQL another port: nobody outside this machine's processes knows it, so a taken one is simply left. */
export async function movePostgresPort(dataDir: string, instance: Instance, reserved: number[]): Promise<void> {
  instance.ports.postgres = await chooseKeptPort(new Set([...reserved, ...Object.values(instance.ports)]))
  writeWhole(path.join(dataDir, 'instance.json'), instance)
}

/** Writes JSON so that a reader sees the old file or the new one, never a half; only this user may read it. Throws StartError. */
export function writeWhole(file: string, value: unknown): void {
  const unfinished = `${file}.new`
  try {
    writeFileSync(unfinished, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 })
    chmodSync(unfinished, 0o600)
    renameSync(unfinished, file)
  } catch (error) {
    rmSync(unfinished, { force: true })
    throw explainDisk(error, file)
  }
}

/** One sentence for what a disk says no with; other errors stay as they are. */
export function explainDisk(error: unknown, place: string): Error {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'EACCES' || code === 'EPERM' || code === 'EROFS')
    return new StartError(
      `${place} cannot be written by this user: allow it, or choose another folder with SLUICE_DATA_DIR.`,
    )
  if (code === 'ENOSPC' || code === 'EDQUOT') return new StartError(`No space is left on the disk of ${place}.`)
  if (code === 'ENOTDIR' || code === 'EEXIST' || code === 'ELOOP')
    return new StartError(`${place} is not a folder: choose another one with SLUICE_DATA_DIR.`)
  return error instanceof Error ? error : new Error(String(error))
}

/**
 * Takes a lock file for this process. Returns what gives it back, or the number of the living process that has it. A lock whose process
 * is gone counts for nothing: the time its process started is kept with the number, because numbers are used again.
 */
export function takeLock(file: string): { release: () => void; wasStale: boolean } | { heldBy: number } {
  mkdirSync(path.dirname(file), { recursive: true })
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, `${process.pid} ${startedAt(process.pid)}\n`, { mode: 0o600 })
  try {
    for (let wasStale = false; ; wasStale = true) {
      try {
        linkSync(mine, file) // fails when the name exists: of two at once only one gets it, and its content is there at once
        return { release: () => rmSync(file, { force: true }), wasStale }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
      }
      const holder = existsSync(file) ? readFileSync(file, 'utf8') : ''
      const [pid, since] = holder.trim().split(' ')
      if (pid && since && startedAt(Number(pid)) === since) return { heldBy: Number(pid) }
      rmSync(file, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/** When a process started, in the kernel's count; empty when there is no such process. */
function startedAt(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  } catch {
    return ''
  }
}
