import type { Prisma, Tx } from '@/lib/db'
import type { Job } from './define-job'
import { type EventName, SUBSCRIPTIONS } from './subscriptions'

/**
 * Promises a job in the caller's transaction: it exists exactly when its reason does. The row goes to an outbox, from which the
 * worker hands it to the queue within a fraction of a second (docs/decisions/0003).
 */
export async function enqueue<Payload extends Prisma.InputJsonObject>(
  tx: Tx,
  job: Job<Payload>,
  payload: Payload,
  options: { runAt?: Date } = {},
): Promise<void> {
  await tx.outboxJob.create({
    data: { name: job.name, payload: job.payload.parse(payload) as Prisma.InputJsonObject, runAt: options.runAt },
    select: { id: true },
  })
}

/** Says in the caller's transaction that something happened; every subscribed job starts when it commits. */
export async function announce(tx: Tx, event: EventName, payload: Prisma.InputJsonObject): Promise<void> {
  await tx.outboxJob.createMany({ data: SUBSCRIPTIONS[event].map((name) => ({ name, payload })) })
}
