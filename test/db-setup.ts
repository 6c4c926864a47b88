import os from 'node:os'
import path from 'node:path'
import { Client } from 'pg'
import { inject } from 'vitest'
import { templateOf } from './db-global'

/**
 * Before each database test file: a fresh copy of the template under this worker's name, and settings that point to it. Files
 * therefore never see each other's rows; tests inside one file share a database and make their own users.
 */
const admin = new Client({ connectionString: inject('adminDatabaseUrl') })
const prefix = inject('databasePrefix')
const name = `${prefix}_${process.env.VITEST_POOL_ID ?? '1'}`
await admin.connect()
try {
  await admin.query(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
  await admin.query(`CREATE DATABASE ${name} TEMPLATE ${templateOf(prefix)} STRATEGY FILE_COPY`)
} finally {
  await admin.end()
}

const address = new URL(inject('adminDatabaseUrl'))
address.pathname = `/${name}`

// Nothing listens there: a test that reaches for a service without starting its stand-in fails at once.
const NOWHERE = 'http://127.0.0.1:2'
Object.assign(process.env, {
  SLUICE_MODE: 'test',
  DATABASE_URL: address.href,
  DATABASE_POOL: '20',
  SLUICE_DATA_DIR: path.join(os.tmpdir(), name),
  PUBLIC_URL: 'http://shop.test',
  AUTH_SECRET: 'test-'.repeat(8),
  SETTINGS_KEY: '7e'.repeat(32),
  LOG_LEVEL: 'silent',
  RESEND_API_URL: NOWHERE,
  RESEND_API_KEY: 'test-resend-key',
})
