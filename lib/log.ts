import pino from 'pino'
import { env } from './env'

/**
 * One JSON line per event. Field names that hold secrets or persons are cut wherever they appear, and addresses with a key in
 * their path are never logged (adapters log the method, not the address).
 */
const SENSITIVE = [
  'password',
  'passwordHash',
  'token',
  'tokenHash',
  'secret',
  'apiKey',
  'authorization',
  'cookie',
  'email',
  'to',
  'username',
  'ip',
  'ipAddress',
  'url',
]

export type Log = pino.Logger

let root: Log | undefined

/** The log of this process, named after the part that speaks. */
export function log(part: string): Log {
  root ??= pino({
    level: env().LOG_LEVEL,
    base: null,
    redact: { paths: SENSITIVE.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]), censor: '[redacted]' },
    serializers: { error: pino.stdSerializers.err },
    timestamp: pino.stdTimeFunctions.isoTime,
  })
  return root.child({ part })
}
