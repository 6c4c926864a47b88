export { comparePayments, type Comparison } from './compare-payments'
export { decideReview } from './decide-review'
export type { ReviewReason } from './decide-settlement'
export {
  type ComparisonView,
  countOpenDifferences,
  type DifferenceView,
  listDifferences,
  listLastComparisons,
} from './difference-queries'
export type { DifferenceKind } from './judge-difference'
export { askAgain, correctDifference, dismissDifference } from './mend-difference'
export { comparePaymentsJob, reconcilePaymentsJob, sendRefundJob, settlePaymentJob, type SettlePayload } from './jobs'
export { type PaymentRef, type Provider, type Truth } from './providers/provider'
export { btcpayProvider } from './providers/btcpay'
export { cryptoCloudProvider } from './providers/cryptocloud'
export { cryptomusProvider } from './providers/cryptomus'
export { fakepayProvider } from './providers/fakepay'
export { nowpaymentsProvider } from './providers/nowpayments'
export { stripeProvider } from './providers/stripe'
export { yookassaProvider } from './providers/yookassa'
export { findProviderForAdmin, listProvidersForAdmin, type ProviderView } from './provider-queries'
export { enabledProviders, paymentOrigins, usableProviders } from './providers/registry'
export { forgetProvider } from './forget-provider'
export { saveProvider, type SaveProviderInput } from './save-provider'
export { testProvider, type TestResult } from './test-provider'
export {
  countManualRefunds,
  countPaymentsNeedingReview,
  findPayment,
  getPaymentForAdmin,
  listAllPayments,
  listOpenRefunds,
  listPayments,
  type PaymentView,
  type Returns,
  type TimelineEvent,
} from './queries'
export {
  canRefundBySource,
  finishRefund,
  getRefundable,
  refundPayment,
  type RefundState,
  sendRefund,
} from './refund-payment'
export { quoteCharge } from './quote-charge'
export { receiveWebhook } from './receive-webhook'
export { paymentRules } from './rules'
export { reconcilePayments } from './reconcile-payments'
export {
  decideReviewSchema,
  finishRefundSchema,
  mendDifferenceSchema,
  paymentRulesSchema,
  providerNameSchema,
  refundPaymentSchema,
  saveProviderSchema,
  startTopUpSchema,
} from './schemas'
export { settlePayment, type Settled, type SettleOutcome, settleWithTruth } from './settle-payment'
export { paymentPath, startTopUp } from './start-top-up'
export { CREDITED_STATES, PAYMENT_TRANSITIONS, type PaymentState, type PaymentStatus, statusOf } from './states'
export { leastTopUpMicros, topUpLimits } from './top-up-limits'
