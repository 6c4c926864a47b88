import { checkSettings, loadSettings } from './settings'

/** One worker process from the environment alone; as many as wanted may run at once. */
loadSettings()
try {
  checkSettings(process.env)
} catch (error) {
  console.error((error as Error).message)
  process.exit(1)
}
process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'))
await import('../worker/main')
