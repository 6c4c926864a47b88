/**
 * Every mail the shop sends, with what its template is told. Props carry micros as decimal text and dates in ISO form; the template
 * puts both into the reader's locale.
 */
export type EmailProps = {
  verify_email: { username: string; url: string }
  /** Sent instead of verify_email when somebody signs up with an address that has an account. */
  account_exists: { username: string; signInUrl: string; resetUrl: string }
  reset_password: { username: string; url: string }
  password_changed: { username: string; resetUrl: string }
  top_up_receipt: {
    paymentId: string
    creditedMicros: string
    requestedMicros: string
    balanceMicros: string
    /** What of it paid a debt first; '0' for nearly everyone, absent in mails written before there were debts. */
    debtPaidMicros?: string
    /** What a code added, and, where it added nothing, why: not_valid | used_up | below_minimum. */
    bonusMicros?: string
    bonusMissed?: string
    currency: string
    provider: string
  }
  top_up_needs_review: { paymentId: string; requestedMicros: string; currency: string }
  /** A person looked at a payment and decided against crediting it. */
  top_up_declined: { paymentId: string; requestedMicros: string; currency: string }
  /** Money is on its way back to its source, by the provider or by hand. */
  top_up_refund_begun: ReturnProps
  /** The provider gave money back by itself; it left the balance. */
  top_up_refunded: ReturnProps
  /** A refund could not be made: the money is back on the balance. */
  refund_failed: ReturnProps
  dispute_opened: ReturnProps
  dispute_won: ReturnProps
  /** A credit was corrected to what the provider says came; `movedMicros` is signed. */
  top_up_corrected: { paymentId: string; movedMicros: string; owedMicros: string; currency: string }
  order_withdrawn: { orderId: string }
  order_renewed: {
    orderId: string
    quantity: number
    periodDays: number
    totalMicros: string
    currency: string
    automatic: boolean
    expiresAt: string
  }
  /** A renewal was paid for and could not be made; the money is back. */
  renewal_failed: { orderId: string; refundedMicros: string; currency: string; reason: string }
  /** The balance will not cover (or, with `daysLeft` 0, does not cover) the automatic renewals of the days to come. */
  renewal_short: {
    orderId: string
    neededMicros: string
    balanceMicros: string
    currency: string
    dueAt: string
    daysLeft: number
  }
  /** An automatic renewal would cost more than was agreed, so it was not made. */
  renewal_dearer: { orderId: string; agreedMicros: string; totalMicros: string; currency: string; dueAt: string }
  order_expired: { orderId: string; wasAutomatic: boolean }
  order_credited: {
    orderId: string
    cause: string
    amountMicros: string
    quantity: number
    balanceMicros: string
    currency: string
  }
  proxy_replaced: { orderId: string; reason: string; old: string; new: string }
  order_delivered: {
    orderId: string
    quantity: number
    ordered: number
    totalMicros: string
    refundedMicros: string
    currency: string
    expiresAt: string
  }
  order_failed: { orderId: string; refundedMicros: string; currency: string; reason: string }
  /** Staff try out how the shop sends. */
  mail_test: { username: string }
  /** An order that waited for money could not be placed when the money arrived. */
  order_intent_refused: { planSlug: string; reason: string }
  /** The balance fell below the mark that its owner set. */
  low_balance: { balanceMicros: string; thresholdMicros: string; currency: string }
  /** Automatic renewals that will be charged soon, the soonest first; `more` are not listed but in the total. */
  next_charge: {
    totalMicros: string
    balanceMicros: string
    currency: string
    charges: { orderId: string; amountMicros: string; at: string }[]
    more: number
  }
  /** Rewards whose hold is over: how many, and what of them is there now. */
  rewards_available: { count: number; amountMicros: string; currency: string }
  payout_paid: { amountMicros: string; currency: string; hint: string; reference: string }
  payout_declined: { amountMicros: string; currency: string; hint: string; reason: string }
  /** News, and a change of service or terms: its title and the beginning of its text, in both languages. `beginsAt`: from when a change holds. */
  announcement_news: AnnouncementProps
  announcement_change: AnnouncementProps
  /** A maintenance that touches these orders; `more` are not listed. */
  announcement_maintenance: MaintenanceProps
  /** Other times than were told, or called off. */
  maintenance_changed: MaintenanceProps & { isCancelled: boolean; wasBeginsAt: string; wasEndsAt: string }
  /** Asks for the click by which a yes to marketing counts; `topics` as codes. */
  marketing_confirm: { username: string; url: string; topics: string[] }
  /** A campaign as staff see it in their own mailbox before it is sent. */
  campaign_test: { username: string; subject: string; body: string; topic: string; preferencesUrl: string }
  /** What was told since the last digest, the newest first; `more` are not listed. */
  digest: { day: string; items: { template: string; props: Record<string, unknown>; at: string }[]; more: number }
}

type ReturnProps = { paymentId: string; amountMicros: string; owedMicros: string; currency: string }

type AnnouncedTitle = { slug: string; titleEn: string; titleRu: string }
type AnnouncementProps = AnnouncedTitle & {
  leadEn: string
  leadRu: string
  isCutEn: boolean
  isCutRu: boolean
  beginsAt: string | null
}
type MaintenanceProps = AnnouncedTitle & { beginsAt: string; endsAt: string; orderIds: string[]; more: number }

export type EmailTemplate = keyof EmailProps
