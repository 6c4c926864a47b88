import {
  checkDue,
  checkDueJob,
  checkOnDemand,
  checkOnDemandJob,
  checkOrder,
  checkOrderJob,
  enrolMissed,
  enrolMissedJob,
  measureQuality,
  measureQualityJob,
  removeOldChecks,
  removeOldChecksJob,
} from '@/lib/checks'
import { sweepAnnouncements, sweepAnnouncementsJob, tellAnnouncement, tellJob } from '@/lib/announcements'
import { removeSelections, removeSelectionsJob } from '@/lib/holdings'
import { issueDue, issueDueJob, issueMissedJob } from '@/lib/papers'
import {
  expireIntents,
  expireIntentsJob,
  expireOrders,
  expireOrdersJob,
  finishIntents,
  finishIntentsJob,
  listDisputedJob,
  listDisputedOrders,
  runRenewals,
  runRenewalsJob,
  tellNextCharges,
  tellNextChargesJob,
  tellShort,
  tellShortJob,
} from '@/lib/orders'
import type { Handler, Job } from '@/lib/jobs'
import {
  removeOldNotices,
  removeOldNoticesJob,
  sendChannelMessage,
  sendDigests,
  sendDigestsJob,
  sendMessageJob,
  tellLowBalances,
  tellLowBalancesJob,
} from '@/lib/notices'
import {
  releaseAddress,
  releaseAddressJob,
  sendEmail,
  sendEmailJob,
  sweepEmails,
  sweepEmailsJob,
} from '@/lib/notifications'
import {
  closeTraffic,
  closeTrafficJob,
  deliverOrder,
  deliverOrderJob,
  pollBalances,
  pollBalancesJob,
  readTraffic,
  readTrafficJob,
  readAccess,
  readAccessJob,
  renewAtSuppliers,
  renewJob,
  resolveDelivery,
  resolveDeliveryJob,
  resolveRenewal,
  resolveRenewalJob,
  sweepOrders,
  sweepOrdersJob,
  sweepRenewals,
  sweepRenewalsJob,
  syncPool,
  syncPoolJob,
  syncStock,
  syncStockJob,
} from '@/lib/provisioning'
import {
  comparePayments,
  comparePaymentsJob,
  reconcilePayments,
  reconcilePaymentsJob,
  sendRefund,
  sendRefundJob,
  settlePayment,
  settlePaymentJob,
} from '@/lib/payments'
import { applyChangesJob, applyDueChanges, applyRules, applyRulesJob } from '@/lib/prices'
import { removeOldMarks, removeOldMarksJob } from '@/lib/identity'
import { reviseRewards, reviseRewardsJob, runRewards, runRewardsJob } from '@/lib/referrals'
import {
  creditDowntime,
  creditDowntimeJob,
  exchangeJob,
  exchangeProxy,
  replaceDead,
  replaceDeadJob,
  sweepExchanges,
  sweepExchangesJob,
} from '@/lib/remedies'
import { runCampaigns, runCampaignsJob } from '@/lib/marketing'
import { renderCampaign, renderEmail } from '@/emails/render'
import { checkBooksHandler, checkBooksJob } from './check-books'

export type Registered = { job: Job<unknown>; handle: Handler<unknown> }

function register<Payload>(job: Job<Payload>, handle: (payload: Payload) => Promise<unknown>): Registered {
  return {
    job: job as Job<unknown>,
    handle: async (payload) => {
      await handle(job.payload.parse(payload))
    },
  }
}

/** Every job and what runs it. A job whose name is missing here would wait for ever; a test compares this table with the subscriptions. */
export const REGISTRY: readonly Registered[] = [
  register(deliverOrderJob, (payload) => deliverOrder(payload)),
  register(resolveDeliveryJob, (payload) => resolveDelivery(payload)),
  register(readAccessJob, (payload) => readAccess(payload)),
  register(renewJob, (payload) => renewAtSuppliers(payload)),
  register(resolveRenewalJob, (payload) => resolveRenewal(payload)),
  register(sweepRenewalsJob, () => sweepRenewals()),
  register(sweepOrdersJob, () => sweepOrders()),
  register(syncStockJob, () => syncStock()),
  register(syncPoolJob, () => syncPool()),
  register(pollBalancesJob, () => pollBalances()),
  register(readTrafficJob, () => readTraffic()),
  register(closeTrafficJob, () => closeTraffic()),
  register(finishIntentsJob, finishIntents),
  register(listDisputedJob, listDisputedOrders),
  register(runRenewalsJob, () => runRenewals()),
  register(tellShortJob, () => tellShort()),
  register(tellNextChargesJob, () => tellNextCharges()),
  register(sendMessageJob, sendChannelMessage),
  register(sendDigestsJob, () => sendDigests()),
  register(tellLowBalancesJob, () => tellLowBalances()),
  register(removeOldNoticesJob, () => removeOldNotices()),
  register(expireOrdersJob, () => expireOrders()),
  register(expireIntentsJob, () => expireIntents()),
  register(sendRefundJob, (payload) => sendRefund(payload)),
  register(settlePaymentJob, (payload) => settlePayment(payload)),
  register(reconcilePaymentsJob, () => reconcilePayments()),
  register(comparePaymentsJob, () => comparePayments()),
  register(issueDueJob, () => issueDue({ everything: false })),
  register(issueMissedJob, () => issueDue({ everything: true })),
  register(checkOrderJob, (payload) => checkOrder(payload)),
  register(checkOnDemandJob, (payload) => checkOnDemand(payload)),
  register(checkDueJob, () => checkDue()),
  register(enrolMissedJob, () => enrolMissed()),
  register(removeOldChecksJob, () => removeOldChecks()),
  register(measureQualityJob, () => measureQuality()),
  register(replaceDeadJob, (payload) => replaceDead(payload)),
  register(exchangeJob, (payload) => exchangeProxy(payload)),
  register(sweepExchangesJob, () => sweepExchanges()),
  register(creditDowntimeJob, () => creditDowntime()),
  register(runRewardsJob, () => runRewards()),
  register(reviseRewardsJob, () => reviseRewards()),
  register(removeOldMarksJob, () => removeOldMarks()),
  register(applyChangesJob, () => applyDueChanges()),
  register(applyRulesJob, (payload) => applyRules(payload)),
  register(removeSelectionsJob, () => removeSelections()),
  register(runCampaignsJob, () => runCampaigns(renderCampaign)),
  register(sendEmailJob, ({ emailId }) => sendEmail(emailId, renderEmail)),
  register(releaseAddressJob, releaseAddress),
  register(sweepEmailsJob, () => sweepEmails()),
  register(tellJob, (payload) => tellAnnouncement(payload)),
  register(sweepAnnouncementsJob, () => sweepAnnouncements()),
  register(checkBooksJob, checkBooksHandler),
]
