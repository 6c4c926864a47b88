import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { hashFiles, listFiles, sleep } from './files'
import { StartError, takeLock } from './instance'
import { ROOT } from './settings'

const STAMP = path.join(ROOT, '.next', 'sluice-sources.txt')
const SOURCES = [
  'app',
  'components',
  'emails',
  'i18n',
  'lib',
  'messages',
  'public',
  'prisma/schema',
  'instrumentation.ts',
  'next.config.ts',
  'package-lock.json',
  'postcss.config.mjs',
  'proxy.ts',
  'tsconfig.json',
]

/** A hash of everything the build is made from; tests and generated code do not count. */
function sourcesHash(): string {
  const isSource = (file: string) => !/\.test\.tsx?$|lib\/db\/generated$/.test(file)
  return hashFiles(
    ROOT,
    listFiles(
      SOURCES.map((each) => path.join(ROOT, each)),
      isSource,
    ),
  )
}

export function isBuilt(): boolean {
  return (
    existsSync(path.join(ROOT, '.next', 'BUILD_ID')) &&
    existsSync(STAMP) &&
    readFileSync(STAMP, 'utf8') === sourcesHash()
  )
}

/**
 * Builds the web part when its sources changed since the last build. Two starts at once build once: the second waits. Throws
 * StartError with the end of Next's output.
 */
export async function buildIfStale(settings: NodeJS.ProcessEnv, say: (line: string) => void): Promise<void> {
  if (isBuilt()) return
  const lockFile = path.join(ROOT, 'node_modules', '.cache', 'sluice', 'build.lock')
  let lock = takeLock(lockFile)
  for (; 'heldBy' in lock; lock = takeLock(lockFile)) await sleep(500)
  try {
    if (isBuilt()) return
    say('Building the pages (half a minute, once) …')
    const hash = sourcesHash()
    const { code, output } = await runBuild(settings)
    if (code !== 0)
      throw new StartError(`The pages could not be built:\n${output.trim().split('\n').slice(-40).join('\n')}`)
    mkdirSync(path.dirname(STAMP), { recursive: true })
    writeFileSync(STAMP, hash)
  } finally {
    lock.release()
  }
}

async function runBuild(settings: NodeJS.ProcessEnv): Promise<{ code: number; output: string }> {
  const child = spawn(process.execPath, [path.join(ROOT, 'node_modules', 'next', 'dist', 'bin', 'next'), 'build'], {
    cwd: ROOT,
    env: { ...settings, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const code = await new Promise<number>((resolve) => {
    child.once('error', () => resolve(1))
    child.once('close', (status) => resolve(status ?? 1))
  })
  return { code, output }
}
