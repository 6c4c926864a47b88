export { decideReview } from './decide-review'
export type { ReviewReason } from './decide-settlement'
export { reconcilePaymentsJob, settlePaymentJob, type SettlePayload } from './jobs'
export { type PaymentRef, type Provider, type Truth } from './providers/provider'
export { btcpayProvider } from './providers/btcpay'
export { cryptoCloudProvider } from './providers/cryptocloud'
export { cryptomusProvider } from './providers/cryptomus'
export { fakepayProvider } from './providers/fakepay'
export { nowpaymentsProvider } from './providers/nowpayments'
export { stripeProvider } from './providers/stripe'
export { yookassaProvider } from './providers/yookassa'
export { enabledProviders } from './providers/registry'
export {
  countPaymentsNeedingReview,
  findPayment,
  getPaymentForAdmin,
  listAllPayments,
  listPayments,
  type PaymentView,
  type TimelineEvent,
} from './queries'
export { receiveWebhook } from './receive-webhook'
export { paymentRules } from './rules'
export { reconcilePayments } from './reconcile-payments'
export { decideReviewSchema, startTopUpSchema } from './schemas'
export { settlePayment, type Settled, type SettleOutcome, settleWithTruth } from './settle-payment'
export { paymentPath, startTopUp } from './start-top-up'
export { PAYMENT_TRANSITIONS, type PaymentState } from './states'
export { leastTopUpMicros, topUpLimits } from './top-up-limits'
