import { closeSync, existsSync, mkdirSync, openSync, readFileSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import { sleep } from './files'
import { type Guarded, spawnGuarded, stopGuarded } from './guarded'
import { ROOT } from './settings'

const KEPT_LOG_BYTES = 20_000_000
/** A process that lived this long was healthy: the next failure waits from the beginning again. */
const HEALTHY_MS = 60_000
const LONGEST_PAUSE_MS = 30_000

export type Supervised = {
  name: string
  /** How often it ended by itself. */
  endings: () => number
  lastLines: () => string
  stop: () => Promise<void>
}

/**
 * Keeps one Node program running: when it ends by itself it is started again after a pause that doubles, and that is said. Its output
 * goes to a log file. It ends when we end, however we end.
 */
export function supervise(options: {
  name: string
  args: string[]
  env: NodeJS.ProcessEnv
  logDir: string
  say: (line: string) => void
}): Supervised {
  const logFile = path.join(options.logDir, `${options.name}.log`)
  let endings = 0
  let isStopping = false
  let current: Guarded | undefined
  let wake: () => void = () => {}

  async function run(): Promise<void> {
    let pauseMs = 1000
    while (!isStopping) {
      const startedAt = Date.now()
      current = launch()
      await current.ended
      if (isStopping) return
      endings += 1
      if (Date.now() - startedAt > HEALTHY_MS) pauseMs = 1000
      const code = current.process.exitCode
      options.say(
        `The ${options.name} process ended by itself (${code === null ? 'killed' : `code ${code}`}); starting it again in ${pauseMs / 1000} s. Its log: ${logFile}`,
      )
      await Promise.race([sleep(pauseMs), new Promise<void>((resolve) => (wake = resolve))])
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS)
    }
  }

  function launch(): Guarded {
    mkdirSync(options.logDir, { recursive: true, mode: 0o700 })
    if (existsSync(logFile) && statSync(logFile).size > KEPT_LOG_BYTES) renameSync(logFile, `${logFile}.1`)
    const log = openSync(logFile, 'a', 0o600)
    try {
      return spawnGuarded(process.execPath, options.args, { signal: 'TERM', cwd: ROOT, env: options.env, output: log })
    } finally {
      closeSync(log)
    }
  }

  const over = run()
  return {
    name: options.name,
    endings: () => endings,
    lastLines: () => (existsSync(logFile) ? readFileSync(logFile, 'utf8').slice(-3000) : ''),
    stop: async () => {
      isStopping = true
      wake()
      if (current && !current.hasEnded()) await stopGuarded(current)
      await over
    },
  }
}
