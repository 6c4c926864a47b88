import type { EmailTemplate } from './templates'

/** What a notice speaks of; people switch their channels by it. */
export const NOTICE_TYPES = [
  'orders',
  'renewals',
  'payments',
  'traffic',
  'support',
  'service',
  'referrals',
  'news',
  'security',
] as const
export type NoticeType = (typeof NOTICE_TYPES)[number]

export type TemplateRule = {
  type: NoticeType
  /** Security, law and money: mailed and shown whatever the person's switches say. */
  isMailRequired: boolean
  /** Holds a link that opens an account, or is a list of notices itself: it leaves no notice and goes through no other channel. */
  isMailOnly: boolean
}

const optional = (type: NoticeType): TemplateRule => ({ type, isMailRequired: false, isMailOnly: false })
const required = (type: NoticeType): TemplateRule => ({ type, isMailRequired: true, isMailOnly: false })
const mailOnly = (type: NoticeType): TemplateRule => ({ type, isMailRequired: true, isMailOnly: true })

/**
 * How each template is told; a template without a rule does not compile. The SQL function tell_customers goes by the table notice_templates, which holds the
 * same rows: a new template adds its row there in a migration, and a test compares the two.
 */
export const TEMPLATE_RULES: Record<EmailTemplate, TemplateRule> = {
  verify_email: mailOnly('security'),
  account_exists: required('security'),
  reset_password: mailOnly('security'),
  password_changed: required('security'),
  top_up_receipt: required('payments'),
  top_up_needs_review: optional('payments'),
  top_up_declined: required('payments'),
  top_up_corrected: required('payments'),
  top_up_refund_begun: required('payments'),
  top_up_refunded: required('payments'),
  refund_failed: required('payments'),
  dispute_opened: required('payments'),
  dispute_won: required('payments'),
  low_balance: optional('payments'),
  order_delivered: optional('orders'),
  order_failed: optional('orders'),
  order_intent_refused: optional('orders'),
  order_withdrawn: required('orders'),
  order_credited: optional('orders'),
  proxy_replaced: optional('orders'),
  order_renewed: optional('renewals'),
  renewal_failed: optional('renewals'),
  renewal_short: optional('renewals'),
  renewal_dearer: optional('renewals'),
  next_charge: optional('renewals'),
  order_expired: optional('renewals'),
  rewards_available: optional('referrals'),
  payout_paid: required('referrals'),
  payout_declined: required('referrals'),
  announcement_news: optional('news'),
  // Terms may change; whoever holds an account hears of it (docs/decisions/0028-told-once-whom-it-touches.md).
  announcement_change: required('service'),
  announcement_maintenance: optional('service'),
  maintenance_changed: optional('service'),
  marketing_confirm: mailOnly('news'),
  campaign_test: mailOnly('news'),
  digest: mailOnly('service'),
  mail_test: mailOnly('service'),
}
