import { createDatabase } from '@/lib/db'
import { env } from '@/lib/env'
import { moveOutbox } from '@/lib/jobs'
import { log } from '@/lib/log'
import { Logger, parseCronItems, run, type WorkerEvents } from 'graphile-worker'
import { EventEmitter } from 'node:events'
import { startPresence } from './presence'
import { REGISTRY } from './registry'
import { SCHEDULE } from './schedule'

/** How long the outbox rests after it was found empty: what a customer waits at most before the delivery of a paid order begins. */
const OUTBOX_IDLE_MS = 150

const { DATABASE_URL, WORKER_CONCURRENCY } = env()
const logger = log('worker')
const database = createDatabase(DATABASE_URL, 2)
const maxAttempts = Object.fromEntries(REGISTRY.map(({ job }) => [job.name, job.maxAttempts]))
const events = new EventEmitter() as WorkerEvents

const presence = await startPresence({
  databaseUrl: DATABASE_URL,
  onLost: (error) => {
    logger.fatal(
      { error },
      'the worker lost its connection that proves it is alive; it ends and has to be started again',
    )
    process.exit(1)
  },
  onFreed: (workerIds) => logger.warn({ workerIds }, 'freed the jobs of workers that died'),
})
// The queue locks jobs under the id of this process's pool.
events.on('pool:create', ({ workerPool }) => presence.join(workerPool.id))
events.on('job:failed', ({ job, error }) =>
  logger.error({ job: job.task_identifier, jobId: job.id, error }, 'a job used up its attempts; it waits for a person'),
)
events.on('job:error', ({ job, error }) =>
  logger.warn(
    { job: job.task_identifier, jobId: job.id, attempt: job.attempts, error },
    'a job failed and will be tried again',
  ),
)

const runner = await run({
  connectionString: DATABASE_URL,
  concurrency: WORKER_CONCURRENCY,
  maxPoolSize: WORKER_CONCURRENCY + 2,
  pollInterval: 500,
  noHandleSignals: true,
  events,
  logger: new Logger(() => (level, message) => {
    // A job's own failure has been told above, by name and number.
    if (level === 'error' && !message.startsWith('Failed task'))
      logger.error({ queue: message }, 'the queue reports a fault')
  }),
  taskList: Object.fromEntries(REGISTRY.map(({ job, handle }) => [job.name, (payload: unknown) => handle(payload)])),
  parsedCronItems: parseCronItems(
    SCHEDULE.map(({ cron, name }) => ({
      task: name,
      match: cron,
      identifier: name,
      options: { maxAttempts: maxAttempts[name] },
    })),
  ),
})
logger.info({ concurrency: WORKER_CONCURRENCY }, 'the worker is at work')

let stopping = false
const outbox = (async () => {
  while (!stopping) {
    try {
      if ((await moveOutbox(database, maxAttempts)) > 0) continue
    } catch (error) {
      logger.error({ error }, 'promised jobs could not be handed to the queue; trying again')
    }
    await new Promise((resolve) => setTimeout(resolve, OUTBOX_IDLE_MS))
  }
})()

async function stop(): Promise<void> {
  if (stopping) return
  stopping = true
  await outbox
  await runner.stop() // waits for the jobs in hand
  await presence.leave()
  await database.$disconnect()
  process.exit(0)
}
process.on('SIGTERM', () => void stop())
process.on('SIGINT', () => void stop())
await runner.promise
