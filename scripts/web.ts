import { spawn } from 'node:child_process'
import path from 'node:path'
import { buildIfStale } from './build'
import { checkSettings, loadSettings, ROOT } from './settings'

/**
 * One web process from the environment alone, for several of them behind a balancer. The database is expected to be migrated
 * (`npm run migrate`); the build is made when it is not there.
 */
loadSettings()
try {
  const settings = checkSettings(process.env)
  await buildIfStale(process.env, console.log)
  const next = path.join(ROOT, 'node_modules', 'next', 'dist', 'bin', 'next')
  const child = spawn(process.execPath, [next, 'start', '-p', String(settings.PORT)], {
    cwd: ROOT,
    stdio: 'inherit',
    env: { ...process.env, NODE_ENV: 'production', NEXT_TELEMETRY_DISABLED: '1' },
  })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
  process.on('disconnect', () => child.kill('SIGTERM'))
  child.once('exit', (code, signal) => process.exit(code ?? (signal ? 0 : 1)))
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
