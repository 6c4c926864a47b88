import { randomBytes } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import type { TestProject } from 'vitest/node'
import { migrate } from '../scripts/migrate'
import { startPostgres } from '../scripts/postgres'

declare module 'vitest' {
  interface ProvidedContext {
    /** A database of the test server from which others are made. */
    adminDatabaseUrl: string
    /** What names of this run's databases begin with: several runs may share a server. */
    databasePrefix: string
  }
}

/**
 * Once per run: a PostgreSQL in a temporary folder (or the local one that TEST_DATABASE_URL names), and in it one migrated
 * template, of which test/db-setup.ts gives every test file a copy.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const given = process.env.TEST_DATABASE_URL
  const server = given ? { url: assertLocal(given), stop: async () => {} } : await startTemporary()
  const prefix = `sluice_test_${process.pid}`
  try {
    await makeTemplate(server.url, templateOf(prefix))
  } catch (error) {
    await server.stop()
    throw error
  }
  project.provide('adminDatabaseUrl', server.url)
  project.provide('databasePrefix', prefix)
  return async () => {
    if (given) await dropAll(server.url, prefix)
    await server.stop()
  }
}

/** The database of which every test file gets a copy. */
export function templateOf(prefix: string): string {
  return `${prefix}_template`
}

/** A server that was there before us keeps nothing of ours. */
async function dropAll(adminUrl: string, prefix: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    const { rows } = await admin.query<{ datname: string }>('SELECT datname FROM pg_database WHERE datname LIKE $1', [
      `${prefix.replaceAll('_', String.raw`\_`)}\\_%`,
    ])
    for (const { datname } of rows) await admin.query(`DROP DATABASE IF EXISTS "${datname}" WITH (FORCE)`)
  } finally {
    await admin.end()
  }
}

/** Tests make and drop databases; one typing mistake must not do that to a shop. */
function assertLocal(url: string): string {
  const host = new URL(url).hostname
  if (!['localhost', '127.0.0.1', '[::1]', '::1'].includes(host))
    throw new Error(`TEST_DATABASE_URL points at ${host}; tests only touch a database on this machine.`)
  return url
}

async function startTemporary(): Promise<{ url: string; stop: () => Promise<void> }> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'sluice-test-'))
  // PostgreSQL's user must pass through when the tests run as root.
  chmodSync(folder, 0o755)
  const postgres = await startPostgres({
    dataDir: path.join(folder, 'postgres'),
    port: await freePort(),
    password: randomBytes(16).toString('hex'),
    durable: false,
  })
  return {
    url: postgres.url,
    stop: async () => {
      await postgres.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function makeTemplate(adminUrl: string, name: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl })
  await admin.connect()
  try {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.query(`CREATE DATABASE ${name}`)
  } finally {
    await admin.end()
  }
  const template = new URL(adminUrl)
  template.pathname = `/${name}`
  await migrate(template.href)
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })
}
