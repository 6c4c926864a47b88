import { randomBytes } from 'node:crypto'
import { Client } from 'pg'
import { expect, inject, test } from 'vitest'
import { runPrisma } from '../../scripts/migrate'

/**
 * The shape that the migrations make, in a database of its own, is compared with the one the schema files describe. Functions, triggers,
 * checks and partial indexes are written by hand in the migrations and do not count.
 */
test('schema and migrations agree', async () => {
  const name = `sluice_shadow_${randomBytes(4).toString('hex')}`
  const admin = new Client({ connectionString: inject('adminDatabaseUrl') })
  await admin.connect()
  const shadow = new URL(inject('adminDatabaseUrl'))
  shadow.pathname = `/${name}`
  await admin.query(`CREATE DATABASE ${name}`)
  try {
    const { code, output } = await runPrisma(
      ['migrate', 'diff', '--from-migrations', 'prisma/migrations', '--to-schema', 'prisma/schema', '--exit-code'],
      { DATABASE_URL: process.env.DATABASE_URL, SHADOW_DATABASE_URL: shadow.href },
    )
    expect(output).toContain('No difference detected')
    expect(code).toBe(0)
  } finally {
    await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
    await admin.end()
  }
})
