import { checkBooks } from '@/lib/admin'
import { defineJob } from '@/lib/jobs'
import { log } from '@/lib/log'
import { z } from 'zod'

export const checkBooksJob = defineJob({ name: 'ledger.check', payload: z.object({}), maxAttempts: 2 })

/** The nightly proof of the books. What is off is an error in the log and makes the job fail, so that it stands among the failed ones until somebody has looked. */
export async function checkBooksHandler(): Promise<void> {
  const report = await checkBooks()
  if (report.findings.length === 0) {
    log('ledger').info({ rules: report.rules, transfers: String(report.transfers) }, 'the books are in order')
    return
  }
  log('ledger').error({ findings: report.findings }, 'the books are not in order')
  throw new Error(
    `the books break ${report.findings.length} rules: ${report.findings.map((finding) => finding.rule).join('; ')}`,
  )
}
