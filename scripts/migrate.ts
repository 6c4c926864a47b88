import { spawn } from 'node:child_process'
import path from 'node:path'
import { runMigrations } from 'graphile-worker'
import { pathToFileURL } from 'node:url'

import { ROOT } from './settings'

/** The environment in which Prisma's command line finds its engine (scripts/schema-engine.mjs) and our Node. */
export function prismaEnv(more: Record<string, string | undefined> = {}): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${path.join(ROOT, 'node_modules', '.bin')}${path.delimiter}${process.env.PATH ?? ''}`,
    PRISMA_SCHEMA_ENGINE_BINARY: path.join(ROOT, 'scripts', 'schema-engine.mjs'),
    PRISMA_HIDE_UPDATE_MESSAGE: '1',
    CHECKPOINT_DISABLE: '1',
    ...more,
  }
}

/** Runs Prisma's command line; `more` is added to its environment. Resolves with what it wrote and its exit code. */
export async function runPrisma(
  args: string[],
  more: Record<string, string | undefined> = {},
): Promise<{ code: number; output: string }> {
  const child = spawn(path.join(ROOT, 'node_modules', '.bin', 'prisma'), args, {
    cwd: ROOT,
    env: prismaEnv(more),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 1))
  })
  return { code, output }
}

/**
 * Brings the database to the newest shape: our own migrations, then the job queue's. Safe to run again and from several starts at
 * once (both lock). Throws with Prisma's words when a migration fails; nothing after it was applied then.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  const { code, output } = await runPrisma(['migrate', 'deploy'], { DATABASE_URL: databaseUrl })
  if (code !== 0) throw new Error(`The database could not be migrated:\n${output.trim()}`)
  await runMigrations({ connectionString: databaseUrl })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { loadSettings } = await import('./settings')
  loadSettings()
  const databaseUrl = process.env.DATABASE_URL
  if (!databaseUrl) {
    console.error('Set DATABASE_URL to the database that is to be migrated.')
    process.exit(1)
  }
  await migrate(databaseUrl)
  console.log('The database is up to date.')
}
