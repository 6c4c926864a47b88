import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { createServer } from 'node:net'
import path from 'node:path'

/** Resolves after so many milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

/** Every file at or below the given paths, sorted, without those the filter turns away. Absent paths count as empty. */
export function listFiles(paths: string[], keep: (file: string) => boolean = () => true): string[] {
  const files: string[] = []
  const visit = (each: string) => {
    if (!existsSync(each) || !keep(each)) return
    if (!statSync(each).isDirectory()) files.push(each)
    else for (const name of readdirSync(each)) visit(path.join(each, name))
  }
  for (const each of paths) visit(each)
  return files.sort()
}

/** One hash over names and contents: equal when nothing that counts has changed. */
export function hashFiles(root: string, files: string[]): string {
  const hash = createHash('sha256')
  for (const file of files) {
    const bytes = readFileSync(file)
    hash.update(`${path.relative(root, file)}\0${bytes.length}\0`)
    hash.update(bytes)
  }
  return hash.digest('hex')
}

/** Whether a server could listen there now, on every address or only on this machine's own. */
export function isPortFree(port: number, host?: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
    probe.once('error', () => resolve(false))
    probe.listen({ port, host, exclusive: true }, () => probe.close(() => resolve(true)))
  })
}

/** A free port below the range from which the system takes the ports of outgoing connections, so that it can be kept for good. */
export async function chooseKeptPort(taken: ReadonlySet<number>): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const port = 20_000 + Math.floor(Math.random() * 10_000)
    if (!taken.has(port) && (await isPortFree(port, '127.0.0.1'))) return port
  }
  throw new Error('No free port was found between 20000 and 30000.')
}
