export { decideReview, type ReviewDecision, type ReviewRefusal } from './decide-review'
export type { ReviewReason } from './decide-settlement'
export {
  handleReconcilePayments,
  handleSettlePayment,
  reconcilePaymentsJob,
  settlePaymentJob,
  type SettlePayload,
} from './jobs'
export {
  MAX_WEBHOOK_BYTES,
  type Checkout,
  type CheckoutRequest,
  type PaymentRef,
  type Provider,
  type Truth,
} from './providers/provider'
export { cryptoCloudProvider } from './providers/cryptocloud'
export { fakepayProvider } from './providers/fakepay'
export { enabledProviders } from './providers/registry'
export {
  type AdminPaymentView,
  countPaymentsNeedingReview,
  findPayment,
  getPaymentForAdmin,
  type InboxMessage,
  listAllPayments,
  listPayments,
  type PaymentPage,
  type PaymentView,
  type TimelineEvent,
} from './queries'
export { receiveWebhook, type WebhookReceipt } from './receive-webhook'
export { reconcilePayments, type Reconciled } from './reconcile-payments'
export {
  decideReviewSchema,
  MAX_TOP_UP_MICROS,
  MIN_TOP_UP_MICROS,
  startTopUpSchema,
  topUpAmountSchema,
} from './schemas'
export { settlePayment, type Settled, type SettleOutcome, settleWithTruth } from './settle-payment'
export {
  paymentPath,
  type StartedTopUp,
  type StartTopUpInput,
  startTopUp,
  type TopUpActor,
  type TopUpRefusal,
} from './start-top-up'
export { PAYMENT_TRANSITIONS, type PaymentState } from './states'
