import type { Refusal, Result } from '@/lib/kit'

/** What a provider says of a payment now. `paid` is final for the provider; whether it is enough for us is our question. */
export type TruthState = 'awaiting' | 'confirming' | 'paid' | 'underpaid' | 'expired' | 'cancelled'

export type Truth = {
  providerPaymentId: string
  /**
   * The id that `createCheckout` returned, where a page may bring several payments with ids of their own. The first that brings money takes
   * the place of this id in our row; every further one is a second invoice. Not set while no money came.
   */
  checkoutId?: string
  /** Our id as the provider echoes it, or null when it has none. */
  paymentId: string | null
  state: TruthState
  receivedMicros: bigint
  requestedMicros: bigint
  currency: string
  isTest: boolean
}

/** A payment to ask about: the provider's id, and ours where it is known, because some vendors list by nothing else. */
export type PaymentRef = { providerPaymentId: string; paymentId: string | null }

export type CheckoutRequest = {
  paymentId: string
  amountMicros: bigint
  currency: string
  returnUrl: string
  webhookUrl: string
  locale: string
  expiresAt: Date
}
export type Checkout = { providerPaymentId: string; checkoutUrl: string; expiresAt: Date }

/** The part of a callback that its signature vouches for, and the ids it echoes. Nothing about amounts or persons. */
export type VerifiedWebhook = {
  /** The same for every repeat of the same fact. */
  externalId: string
  /** What to ask the provider about. */
  providerPaymentId: string | null
  paymentId: string | null
}
export type WebhookRefusal = Refusal<'bad_signature' | 'malformed'>

/**
 * A payment provider. Adapters know no database and translate everything into these words. Every call may throw OperationalError
 * (an outage, a time-out, an answer that makes no sense); its text never holds what the vendor wrote.
 */
export type Provider = {
  readonly name: string
  readonly minMicros: bigint
  readonly maxMicros: bigint
  /** Set where nothing vouches for a callback. It is heeded only when it names a payment of ours, and seldom. */
  readonly isUnsigned?: true

  /** Makes the hosted page for a payment. Asked again for the same payment id it gives the same one where the vendor can. */
  createCheckout(request: CheckoutRequest): Promise<Checkout>

  /** Whether a callback is the provider's own and fresh. Must be asked on receipt: signatures age. Never throws for what was sent. */
  verifyWebhook(message: {
    headers: Headers
    body: Buffer
    now: Date
  }): Promise<Result<VerifiedWebhook, WebhookRefusal>>

  /**
   * What is true now of any number of payments, in batches as large as the vendor takes, else a few calls at a time. What the vendor
   * does not know is left out, and one page may have several payments; one that it answers in another shape than agreed is an OperationalError only when it was asked alone.
   */
  fetchPayments(payments: readonly PaymentRef[]): Promise<Truth[]>

  /** What is true of the payment that carries our id, or null. A vendor that cannot be asked this has `null` here. */
  readonly findByPaymentId: ((paymentId: string) => Promise<Truth | null>) | null
}

/** The largest callback read. The largest known is CryptoCloud's, under four kilobytes. */
export const MAX_WEBHOOK_BYTES = 64 * 1024
