import { sweepAnnouncementsJob } from '@/lib/announcements'
import { removeSelectionsJob } from '@/lib/holdings'
import { removeOldNoticesJob, sendDigestsJob, tellLowBalancesJob } from '@/lib/notices'
import { issueDueJob, issueMissedJob } from '@/lib/papers'
import { expireIntentsJob, expireOrdersJob, runRenewalsJob, tellNextChargesJob, tellShortJob } from '@/lib/orders'
import { checkDueJob, enrolMissedJob, measureQualityJob, removeOldChecksJob } from '@/lib/checks'
import { comparePaymentsJob, reconcilePaymentsJob } from '@/lib/payments'
import {
  closeTrafficJob,
  pollBalancesJob,
  readTrafficJob,
  sweepOrdersJob,
  sweepRenewalsJob,
  syncPoolJob,
  syncStockJob,
} from '@/lib/provisioning'
import { applyChangesJob, applyRulesJob } from '@/lib/prices'
import { runCampaignsJob } from '@/lib/marketing'
import { sweepEmailsJob } from '@/lib/notifications'
import { removeOldMarksJob } from '@/lib/identity'
import { reviseRewardsJob, runRewardsJob } from '@/lib/referrals'
import { creditDowntimeJob, sweepExchangesJob } from '@/lib/remedies'
import { checkBooksJob } from './check-books'

/** What runs by the clock (UTC), in cron's words. Each line runs once however many workers there are: the queue keys it by its minute. */
export const SCHEDULE: readonly { cron: string; name: string }[] = [
  { cron: '* * * * *', name: reconcilePaymentsJob.name },
  { cron: '* * * * *', name: sweepOrdersJob.name },
  { cron: '* * * * *', name: sweepRenewalsJob.name },
  { cron: '* * * * *', name: sweepExchangesJob.name },
  { cron: '* * * * *', name: runRenewalsJob.name },
  { cron: '* * * * *', name: expireOrdersJob.name },
  { cron: '* * * * *', name: expireIntentsJob.name },
  { cron: '* * * * *', name: applyChangesJob.name },
  { cron: '10 5 * * *', name: applyRulesJob.name },
  { cron: '0 8 * * *', name: tellShortJob.name },
  { cron: '5 8 * * *', name: tellNextChargesJob.name },
  { cron: '*/5 * * * *', name: sendDigestsJob.name },
  { cron: '* * * * *', name: tellLowBalancesJob.name },
  { cron: '30 2 * * *', name: removeOldNoticesJob.name },
  { cron: '*/2 * * * *', name: syncStockJob.name },
  { cron: '*/2 * * * *', name: syncPoolJob.name },
  { cron: '*/10 * * * *', name: pollBalancesJob.name },
  { cron: '23 * * * *', name: readTrafficJob.name },
  { cron: '*/5 * * * *', name: closeTrafficJob.name },
  // Before the books are checked, so that one morning shows both.
  { cron: '10 3 * * *', name: comparePaymentsJob.name },
  { cron: '* * * * *', name: issueDueJob.name },
  { cron: '10 4 * * *', name: issueMissedJob.name },
  { cron: '20 2 * * *', name: creditDowntimeJob.name },
  { cron: '*/5 * * * *', name: runRewardsJob.name },
  { cron: '40 2 * * *', name: reviseRewardsJob.name },
  { cron: '50 2 * * *', name: removeOldMarksJob.name },
  { cron: '30 3 * * *', name: checkBooksJob.name },
  { cron: '* * * * *', name: checkDueJob.name },
  { cron: '7 * * * *', name: measureQualityJob.name },
  { cron: '20 2 * * *', name: enrolMissedJob.name },
  { cron: '40 2 * * *', name: removeOldChecksJob.name },
  { cron: '50 * * * *', name: removeSelectionsJob.name },
  { cron: '*/5 * * * *', name: sweepEmailsJob.name },
  { cron: '* * * * *', name: runCampaignsJob.name },
  { cron: '* * * * *', name: sweepAnnouncementsJob.name },
]
