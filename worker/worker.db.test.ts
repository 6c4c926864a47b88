import { type ChildProcess, spawn } from 'node:child_process'
import { type Fake } from '@/fakes/kit'
import { startMailFake } from '@/fakes/mail'
import { startPx6Fake } from '@/fakes/px6'
import { checkBooks, sendJobAgain } from '@/lib/admin'
import { db } from '@/lib/db'
import { enqueue, listFailedJobs, SUBSCRIPTIONS } from '@/lib/jobs'
import { placeOrder } from '@/lib/orders'
import { makePlan, orderFor } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { insertSupplier } from '@/test/factories/supplier'
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest'
import { REGISTRY } from './registry'
import { SCHEDULE } from './schedule'

/** The worker as it runs in a shop: a process of its own on this test's database, with stand-ins for mail and supplier over HTTP. */
let mail: Fake
let px6: Awaited<ReturnType<typeof startPx6Fake>>
const workers = new Set<ChildProcess>()

beforeAll(async () => {
  mail = await startMailFake({ port: 0, apiKey: 'test-resend-key' })
  px6 = await startPx6Fake({ port: 0, apiKey: 'test-px6-key', exitPort: 1 })
  await insertSupplier('px6', { apiUrl: `${px6.url}/api`, apiKey: 'test-px6-key' })
})
afterEach(async () => {
  for (const worker of workers) await end(worker, 'SIGKILL')
})
afterAll(async () => {
  await mail.close()
  await px6.close()
})

function startWorker(): ChildProcess {
  const worker = spawn(process.execPath, ['--import', 'tsx', 'worker/main.ts'], {
    env: {
      ...process.env,
      RESEND_API_URL: mail.url,
      WORKER_CONCURRENCY: '2',
      DATABASE_POOL: '4',
      // Its checks find no page of the shop to ask for; each says so as a warning.
      LOG_LEVEL: 'error',
    },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  workers.add(worker)
  return worker
}

async function end(worker: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
  workers.delete(worker)
  if (worker.exitCode !== null || worker.signalCode !== null) return worker.exitCode
  const ended = new Promise<number | null>((resolve) => worker.once('exit', (code) => resolve(code)))
  worker.kill(signal)
  return ended
}

const countActive = () => db().order.count({ where: { state: 'active' } })

/**
 * Two hundred paid orders, most from stock and some from a supplier that takes its time, and the worker killed -9 twice while it delivers. What
 * it held is freed and done by the next one; a purchase that was under way is looked up, not made again.
 */
it('kill -9 in the middle of 200 deliveries: all are delivered, none twice', { timeout: 240_000 }, async () => {
  const stock = await makePlan({ units: 200 })
  const bought = await makePlan({ supplier: 'px6', countryCode: 'NL' })
  await fetch(`${px6.controlUrl}/delay`, { method: 'POST', body: JSON.stringify({ ms: 300 }) })
  const customers = await Promise.all(Array.from({ length: 20 }, () => insertCustomer({ balanceMicros: 100_000_000n })))
  for (let index = 0; index < 200; index += 1) {
    const placed = await placeOrder(customers[index % 20]!, await orderFor(index % 8 === 7 ? bought : stock))
    expect(placed.ok).toBe(true)
  }

  let worker = startWorker()
  await expect.poll(countActive, { timeout: 60_000, interval: 5 }).toBeGreaterThan(5)
  // The name under which the queue locks this process's jobs is the one that its presence announces.
  const [lock] = await db().$queryRaw<{ held: boolean }[]>`
    SELECT bool_and(EXISTS (SELECT 1 FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = 7331
      AND l.objid::bigint = (hashtext(j.locked_by)::bigint & 4294967295))) AS held FROM graphile_worker.jobs j WHERE j.locked_by IS NOT NULL`
  expect(lock!.held).toBe(true)
  await end(worker, 'SIGKILL')
  const afterFirst = await countActive()
  expect(afterFirst).toBeLessThan(200)
  worker = startWorker()
  await expect.poll(countActive, { timeout: 60_000, interval: 5 }).toBeGreaterThan(afterFirst)
  await end(worker, 'SIGKILL')
  worker = startWorker()

  const open = () => db().order.count({ where: { state: { notIn: ['active', 'failed'] } } })
  await expect.poll(open, { timeout: 150_000, interval: 200 }).toBe(0)
  expect(await end(worker, 'SIGTERM')).toBe(0)

  expect(await countActive()).toBe(200)
  expect(await db().allocation.count()).toBe(200)
  const sold = (await (await fetch(`${px6.controlUrl}/orders`)).json()) as unknown[]
  expect(sold).toHaveLength(25)
  expect((await checkBooks()).findings).toEqual([])
})

it('a job that uses up its attempts stays, is visible, and can be sent again', { timeout: 150_000 }, async () => {
  const sendEmail = REGISTRY.find(({ job }) => job.name === 'notifications.send_email')!.job
  await db()
    .$transaction((tx) => enqueue(tx, sendEmail as never, { emailId: 1 } as never))
    .then(
      () => expect.unreachable('a payload of the wrong shape is refused where it is promised'),
      () => undefined,
    )
  await db().outboxJob.create({ data: { name: 'notifications.send_email', payload: { emailId: 1 } } }) // past the check: a job from an older version
  await db().$executeRaw`UPDATE outbox_jobs SET run_at = now()`
  const worker = startWorker()
  // A job of the clock that was cut off may be listed beside it.
  const failed = async () => (await listFailedJobs()).filter((job) => job.name === 'notifications.send_email')
  await expect
    .poll(
      async () =>
        db().$queryRaw<
          { n: bigint }[]
        >`SELECT count(*) AS n FROM graphile_worker.jobs WHERE last_error IS NOT NULL AND task_identifier = 'notifications.send_email'`.then(
          ([row]) => row!.n,
        ),
      { timeout: 100_000 },
    )
    .toBe(1n)
  await end(worker, 'SIGTERM')
  await db()
    .$executeRaw`UPDATE graphile_worker._private_jobs SET attempts = max_attempts WHERE last_error IS NOT NULL AND payload ->> 'emailId' = '1'` // eleven hours of backoff
  const [job] = await failed()
  const staff = { kind: 'staff' as const, id: 'usr_test' }
  expect(job).toMatchObject({ name: 'notifications.send_email' })
  expect(await sendJobAgain(staff, job!.id)).toMatchObject({ ok: true })
  expect(await sendJobAgain(staff, job!.id)).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await sendJobAgain(staff, 'nonsense')).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await failed()).toEqual([])
})

it('every job that is announced, scheduled or written by an SQL function has a handler', async () => {
  const names = new Set(REGISTRY.map(({ job }) => job.name))
  expect(names.size).toBe(REGISTRY.length)
  const functions = await db().$queryRaw<{ name: string }[]>`
    SELECT DISTINCT m[1] AS name FROM pg_proc p,
      regexp_matches(p.prosrc, $$INTO outbox_jobs [(]name, payload[)][[:space:]]+(?:VALUES [(]|SELECT )'([a-z_.]+)'$$, 'g') AS m
    WHERE p.pronamespace = 'public'::regnamespace`
  const promised = [
    ...Object.values(SUBSCRIPTIONS).flat(),
    ...SCHEDULE.map(({ name }) => name),
    ...functions.map((row) => row.name),
  ]
  expect(functions.map((row) => row.name).sort()).toEqual([
    'checks.check_order',
    'notices.send_message',
    'notifications.send_email',
    'orders.finish_intents',
    'provisioning.deliver',
    'provisioning.renew',
  ])
  expect(promised.filter((name) => !names.has(name))).toEqual([])
})
