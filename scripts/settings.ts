import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { type Env, parseEnv } from '../lib/env'

export const ROOT = path.resolve(import.meta.dirname, '..')

/** Reads `.env` in the project folder into the environment; what the environment already says wins. */
export function loadSettings(): void {
  const file = path.join(ROOT, '.env')
  if (existsSync(file)) process.loadEnvFile(file)
}

/**
 * The settings of a source, checked by lib/env. Throws an Error that names everything that is wrong at once: a missing AUTH_SECRET alone
 * would otherwise hide the rest, which is only looked at when the single settings hold.
 */
export function checkSettings(source: Record<string, string | undefined>): Env {
  if (source.AUTH_SECRET) return parseEnv(source)
  const missing = 'AUTH_SECRET: is missing; set a random value, for example from `openssl rand -hex 32`'
  let rest = 'The settings do not hold:\n'
  try {
    parseEnv({ ...source, AUTH_SECRET: randomBytes(32).toString('hex') })
  } catch (error) {
    rest = (error as Error).message
  }
  throw new Error(rest.replace('\n', `\n  ${missing}\n`).trimEnd())
}
