import { render, toPlainText } from 'react-email'
import { type CampaignRenderer, PLACES } from '@/lib/marketing'
import type { EmailProps, EmailRenderer, EmailTemplate } from '@/lib/notifications'
import { accountExists } from './account-exists'
import { announced } from './announced'
import { announcedMaintenance } from './announced-maintenance'
import { mailContext, type MailTemplate } from './context'
import { maintenanceChanged } from './maintenance-changed'
import { marketingConfirm } from './marketing-confirm'
import { mailTest } from './mail-test'
import { digest } from './digest'
import { CampaignMailView, campaignTest, nameIn } from './campaign'
import { lowBalance } from './low-balance'
import { moneyReturned } from './money-returned'
import { nextCharge } from './next-charge'
import { orderCredited } from './order-credited'
import { orderDelivered } from './order-delivered'
import { orderExpired } from './order-expired'
import { orderFailed } from './order-failed'
import { orderIntentRefused } from './order-intent-refused'
import { orderRenewed } from './order-renewed'
import { orderWithdrawn } from './order-withdrawn'
import { passwordChanged } from './password-changed'
import { payoutDeclined } from './payout-declined'
import { payoutPaid } from './payout-paid'
import { proxyReplaced } from './proxy-replaced'
import { renewalDearer } from './renewal-dearer'
import { renewalFailed } from './renewal-failed'
import { renewalShort } from './renewal-short'
import { resetPassword } from './reset-password'
import { rewardsAvailable } from './rewards-available'
import { topUpCorrected } from './top-up-corrected'
import { topUpDeclined } from './top-up-declined'
import { topUpNeedsReview } from './top-up-needs-review'
import { topUpReceipt } from './top-up-receipt'
import { verifyEmail } from './verify-email'

/** One template per mail; a mail without one does not compile. */
export const TEMPLATES: { [T in EmailTemplate]: MailTemplate<EmailProps[T]> } = {
  mail_test: mailTest,
  verify_email: verifyEmail,
  account_exists: accountExists,
  reset_password: resetPassword,
  password_changed: passwordChanged,
  top_up_receipt: topUpReceipt,
  top_up_needs_review: topUpNeedsReview,
  top_up_declined: topUpDeclined,
  top_up_corrected: topUpCorrected,
  top_up_refund_begun: moneyReturned('top_up_refund_begun'),
  top_up_refunded: moneyReturned('top_up_refunded'),
  refund_failed: moneyReturned('refund_failed'),
  dispute_opened: moneyReturned('dispute_opened'),
  dispute_won: moneyReturned('dispute_won'),
  order_withdrawn: orderWithdrawn,
  order_renewed: orderRenewed,
  renewal_failed: renewalFailed,
  renewal_short: renewalShort,
  renewal_dearer: renewalDearer,
  order_expired: orderExpired,
  order_credited: orderCredited,
  proxy_replaced: proxyReplaced,
  order_delivered: orderDelivered,
  order_failed: orderFailed,
  order_intent_refused: orderIntentRefused,
  low_balance: lowBalance,
  next_charge: nextCharge,
  rewards_available: rewardsAvailable,
  payout_paid: payoutPaid,
  payout_declined: payoutDeclined,
  announcement_news: announced('announcement_news'),
  announcement_change: announced('announcement_change'),
  announcement_maintenance: announcedMaintenance,
  maintenance_changed: maintenanceChanged,
  marketing_confirm: marketingConfirm,
  campaign_test: campaignTest,
  digest,
}

/** A mail as html and text, in the reader's language. An unknown language is written in English. */
export const renderEmail: EmailRenderer = async (template, props, locale, look) => {
  const { subject, Mail } = TEMPLATES[template]
  const context = mailContext(locale, look)
  const html = await render(<Mail props={props} context={context} />)
  return { subject: subject(props, context), html, text: toPlainText(html) }
}

/** A campaign for all readers of a language: where their name and their links stand, there are PLACES. */
export const renderCampaign: CampaignRenderer = async ({ subject, body, topic }, locale, look, options = {}) => {
  const context = mailContext(locale, look)
  const imageUrl = options.isMeasured ? PLACES.image : undefined
  const reader = { name: PLACES.name, preferencesUrl: PLACES.preferences, imageUrl }
  const html = await render(<CampaignMailView text={{ subject, body, topic }} reader={reader} context={context} />)
  return { subject: nameIn(subject, PLACES.name), html, text: toPlainText(html) }
}
