import type { Refusal, Result } from '@/lib/kit'

/**
 * What a provider says of a payment now. `paid` is final for the provider; whether it is enough for us is our question. `rejected` is final, too: the
 * provider does not stand by the money it saw (never confirmed, a failure), so no rule credits it.
 */
export type TruthState = 'awaiting' | 'confirming' | 'paid' | 'underpaid' | 'expired' | 'cancelled' | 'rejected'

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
  /**
   * Something that stays the same for one payer with this vendor (an address, a mailbox), where it tells one. Never stored: it becomes a keyed digest
   * that says only whether two customers share it (lib/identity/marks.ts).
   */
  payerReference?: string
  /** What went back to the payer, or is on its way. Absent where the vendor does not tell, or nothing did. */
  refunds?: readonly ProviderRefund[]
  /** What the payer's bank takes back, each claim once under the vendor's id for it. */
  disputes?: readonly ProviderDispute[]
}

/** Money that goes back to its source, under the vendor's id for it; `refundId` is ours where the vendor echoes it. */
export type ProviderRefund = {
  providerRefundId: string
  refundId: string | null
  amountMicros: bigint
  state: 'pending' | 'done' | 'failed'
}

/** A chargeback: `open` once the money was taken from us, `won` when it came back, `lost` when it stays away. */
export type ProviderDispute = { providerDisputeId: string; amountMicros: bigint; state: 'open' | 'won' | 'lost' }

/** A payment as the vendor's own list of a time span shows it. Only what was paid; amounts before any refund. */
export type PaidPayment = Pick<
  Truth,
  'providerPaymentId' | 'checkoutId' | 'paymentId' | 'receivedMicros' | 'currency' | 'isTest'
>

/** What came of asking whether the settings hold: `why` is one of few words that the screens explain. */
export type ConnectionTest =
  | { ok: true }
  | { ok: false; why: 'unreachable' | 'key_refused' | 'account_unknown' | 'unexpected_answer' }

export type RefundRequest = {
  /** Ours; the same for every repeat, so that the vendor gives back once. */
  refundId: string
  paymentId: string
  providerPaymentId: string
  /** In the currency that the payer paid in. */
  amountMicros: bigint
  currency: string
}
/** `pending` is on its way, and the truth of the payment tells when it went; `failed` is a "no" that stays one. */
export type RefundAnswer = { providerRefundId: string | null; state: ProviderRefund['state'] }

/** What the operator set for a way to pay, beside its keys. */
export type ProviderTerms = {
  /** Narrower than what the vendor takes; micros of the shop's currency. */
  minMicros: bigint | null
  maxMicros: bigint | null
  /** So many hundredths of a percent may be missing (a fee that came off on the way): what came is credited then. */
  toleranceBasisPoints: number
  /** In which currency the vendor's page asks, when not in the shop's: `rate` units of it for one of the shop's, as decimal text. */
  charge: { currency: string; rate: string } | null
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
  /** Set where the vendor tells a further fact (another refund) under the same id: it is asked about after a credit, too. */
  recurs?: true
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
  /** How many payments `fetchPayments` had best be asked about at once, where that is not a hundred. */
  readonly batchMax?: number
  /** Absent: the shop's own currency, and what the vendor takes. */
  readonly terms?: ProviderTerms

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

  /**
   * Gives a part or all of a payment back to its source, once per `refundId`: asked again it answers the same. Throws OperationalError when the
   * outcome is unknown. Absent where the vendor has no call for it, or needs to know the payer's wallet.
   */
  refund?(request: RefundRequest): Promise<RefundAnswer>

  /**
   * Everything that was paid of what was begun in the span (`to` excluded), from the vendor's own list, every page of it, each once; rows that are
   * not of this shop have no payment id of ours. What was given back later is still there. A row of another shape than agreed is an
   * OperationalError, because a list with a hole in it would make differences. Absent where there is no list that can be trusted.
   */
  listPaid?(span: { from: Date; to: Date }): Promise<PaidPayment[]>

  /** Whether the vendor is there and takes our key, by a call that changes nothing. Never throws. */
  testConnection(): Promise<ConnectionTest>
}

/** The largest callback read. The largest known is CryptoCloud's, under four kilobytes. */
export const MAX_WEBHOOK_BYTES = 64 * 1024
