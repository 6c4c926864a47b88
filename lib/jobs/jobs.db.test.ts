import { db, inTransaction, type Tx } from '@/lib/db'
import { accepted, newId, refused, type Refusal } from '@/lib/kit'
import { expect, it } from 'vitest'
import { z } from 'zod'
import { announce, defineJob, enqueue, moveOutbox } from './index'

const job = defineJob({ name: 'test.do', payload: z.object({ id: z.string() }), maxAttempts: 3 })
const queued = () =>
  db().$queryRaw<{ name: string; payload: { id: string }; max: number }[]>`
    SELECT t.identifier AS name, j.payload, j.max_attempts::int AS max FROM graphile_worker._private_jobs j JOIN graphile_worker._private_tasks t ON t.id = j.task_id ORDER BY j.id`

it('a job exists exactly when its reason does: a throw and a returned refusal both leave none', async () => {
  await expect(
    db().$transaction(async (tx) => {
      await enqueue(tx, job, { id: 'thrown' })
      throw new Error('no')
    }),
  ).rejects.toThrow('no')
  const said = await inTransaction<null, Refusal<'no'>>(async (tx: Tx) => {
    await enqueue(tx, job, { id: 'refused' })
    return refused('no')
  })
  expect(said).toMatchObject({ refusal: { code: 'no' } })
  expect(await db().outboxJob.count()).toBe(0)
})

it('moves to the queue whole, once, with its attempts, also when several workers move at once and one is cut off', async () => {
  const ids = Array.from({ length: 1200 }, () => newId('req'))
  await inTransaction(async (tx) => {
    for (const id of ids) await enqueue(tx, job, { id })
    return accepted(null)
  })
  // One mover is killed after its statement, before its commit: its rows are still promised.
  await db()
    .$transaction(async (tx) => {
      await moveOutbox(tx as never, { 'test.do': 3 })
      throw new Error('killed')
    })
    .catch(() => undefined)
  for (let moved = 1; moved > 0;) {
    const counts = await Promise.all([
      moveOutbox(db(), { 'test.do': 3 }),
      moveOutbox(db(), { 'test.do': 3 }),
      moveOutbox(db(), { 'test.do': 3 }),
    ])
    moved = Math.max(...counts)
  }
  const rows = await queued()
  expect(rows.map((row) => row.payload.id).sort()).toEqual(ids.toSorted())
  expect(new Set(rows.map((row) => row.max))).toEqual(new Set([3]))
  expect(await moveOutbox(db(), {})).toBe(0)
})

it('an announcement starts the job of everyone who listens', async () => {
  await db().$transaction((tx) => announce(tx, 'payments.top_up_credited', { userId: 'usr_1' }))
  expect(await db().outboxJob.findMany({ select: { name: true, payload: true } })).toEqual([
    { name: 'orders.finish_intents', payload: { userId: 'usr_1' } },
  ])
})
