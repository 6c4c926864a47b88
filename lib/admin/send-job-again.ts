import { type Actor, recordAudit } from '@/lib/audit'
import { inTransaction } from '@/lib/db'
import { retryFailedJob } from '@/lib/jobs'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'

/** Sends a job that used up its attempts again, and records who did. Refuses `not_found` when it is not (or no longer) a failed job. */
export async function sendJobAgain(actor: Actor, jobId: string): Promise<Result<null, Refusal<'not_found'>>> {
  return inTransaction<null, Refusal<'not_found'>>(async (tx) => {
    const name = await retryFailedJob(tx, jobId)
    if (name === null) return refused('not_found')
    await recordAudit(tx, actor, { action: 'jobs.sent_again', subjectKind: 'job', subjectId: jobId, data: { name } })
    return accepted(null)
  })
}
