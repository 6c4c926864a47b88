import { translator } from '@/i18n/translator'
import { formatMoney } from '@/lib/kit'
import type { EmailProps, EmailTemplate } from '@/lib/notifications'

/** The templates that leave a notice; the others go by mail only. */
export type NoticeTemplate = Exclude<
  EmailTemplate,
  'verify_email' | 'reset_password' | 'digest' | 'mail_test' | 'marketing_confirm' | 'campaign_test'
>

export type SaidNotice = {
  title: string
  line: string
  /** Where in the shop the thing is that the notice speaks of. */
  path: string
}

type Reader = { locale: string; timeZone: string }
type Writer = {
  locale: string
  money: (micros: string, currency: string) => string
  day: (iso: string) => string
}
type Facts = { args?: Record<string, string | number>; path: string }

const order = (orderId: string) => `/account/orders/${orderId}`
const payment = (paymentId: string) => `/account/payments/${paymentId}`

function moneyReturned(props: EmailProps['top_up_refunded'], { money }: Writer): Facts {
  return {
    args: { amount: money(props.amountMicros, props.currency), ...owed(props.owedMicros, props.currency, { money }) },
    path: payment(props.paymentId),
  }
}

function owed(micros: string, currency: string, { money }: Pick<Writer, 'money'>) {
  return { owed: money(micros, currency), owes: BigInt(micros) > 0n ? 'yes' : 'no' }
}

/** How much of an announcement's text stands in a notice; its page has the rest. */
const LEAD_MAX = 160

function announced(props: EmailProps['announcement_news'], { locale, day }: Writer): Facts {
  const isRu = locale === 'ru'
  const lead = (isRu ? props.leadRu : props.leadEn).replaceAll(/\s+/g, ' ').trim()
  return {
    args: {
      title: isRu ? props.titleRu : props.titleEn,
      lead: lead.length > LEAD_MAX ? `${lead.slice(0, LEAD_MAX).replace(/\s+\S*$/, '')}…` : lead,
      dated: props.beginsAt ? 'yes' : 'no',
      begins: props.beginsAt ? day(props.beginsAt) : '',
    },
    path: `/announcements/${props.slug}`,
  }
}

function touched(props: EmailProps['announcement_maintenance'], { locale }: Writer) {
  return {
    title: locale === 'ru' ? props.titleRu : props.titleEn,
    count: props.orderIds.length + props.more,
    orders: props.orderIds.map((orderId) => orderId.slice(-8)).join(', '),
    more: props.more,
  }
}

/** What the words of each template are told, and where it leads. */
const FACTS: { [T in NoticeTemplate]: (props: EmailProps[T], write: Writer) => Facts } = {
  account_exists: () => ({ path: '/account/settings' }),
  password_changed: () => ({ path: '/account/settings' }),
  top_up_receipt: (props, { money }) => ({
    args: {
      amount: money(props.creditedMicros, props.currency),
      balance: money(props.balanceMicros, props.currency),
    },
    path: payment(props.paymentId),
  }),
  top_up_needs_review: (props, { money }) => ({
    args: { requested: money(props.requestedMicros, props.currency) },
    path: payment(props.paymentId),
  }),
  top_up_declined: (props, { money }) => ({
    args: { requested: money(props.requestedMicros, props.currency) },
    path: payment(props.paymentId),
  }),
  top_up_corrected: (props, { money }) => {
    const moved = BigInt(props.movedMicros)
    return {
      args: {
        amount: money((moved < 0n ? -moved : moved).toString(), props.currency),
        direction: moved < 0n ? 'taken' : 'given',
        ...owed(props.owedMicros, props.currency, { money }),
      },
      path: payment(props.paymentId),
    }
  },
  top_up_refund_begun: moneyReturned,
  top_up_refunded: moneyReturned,
  refund_failed: moneyReturned,
  dispute_opened: moneyReturned,
  dispute_won: moneyReturned,
  low_balance: (props, { money }) => ({
    args: {
      balance: money(props.balanceMicros, props.currency),
      threshold: money(props.thresholdMicros, props.currency),
    },
    path: '/account/top-up',
  }),
  order_delivered: (props, { money, day }) => ({
    args: {
      quantity: props.quantity,
      missing: props.ordered - props.quantity,
      refunded: money(props.refundedMicros, props.currency),
      expires: day(props.expiresAt),
    },
    path: order(props.orderId),
  }),
  order_failed: (props, { money }) => ({
    args: { refunded: money(props.refundedMicros, props.currency), reason: props.reason },
    path: order(props.orderId),
  }),
  order_intent_refused: (props) => ({
    args: { reason: props.reason },
    path: props.planSlug ? `/catalogue/${props.planSlug}` : '/catalogue',
  }),
  order_withdrawn: (props) => ({ path: order(props.orderId) }),
  order_credited: (props, { money }) => ({
    args: { amount: money(props.amountMicros, props.currency), quantity: props.quantity, cause: props.cause },
    path: order(props.orderId),
  }),
  proxy_replaced: (props) => ({
    args: { old: props.old, next: props.new, reason: props.reason },
    path: order(props.orderId),
  }),
  order_renewed: (props, { money, day }) => ({
    args: {
      quantity: props.quantity,
      total: money(props.totalMicros, props.currency),
      expires: day(props.expiresAt),
      automatic: props.automatic ? 'yes' : 'no',
    },
    path: order(props.orderId),
  }),
  renewal_failed: (props, { money }) => ({
    args: { amount: money(props.refundedMicros, props.currency), reason: props.reason },
    path: order(props.orderId),
  }),
  renewal_short: (props, { money, day }) => ({
    args: {
      needed: money(props.neededMicros, props.currency),
      balance: money(props.balanceMicros, props.currency),
      due: day(props.dueAt),
      isNow: props.daysLeft > 0 ? 'no' : 'yes',
    },
    path: order(props.orderId),
  }),
  renewal_dearer: (props, { money, day }) => ({
    args: {
      agreed: money(props.agreedMicros, props.currency),
      total: money(props.totalMicros, props.currency),
      due: day(props.dueAt),
    },
    path: order(props.orderId),
  }),
  next_charge: (props, { money, day }) => ({
    args: {
      total: money(props.totalMicros, props.currency),
      balance: money(props.balanceMicros, props.currency),
      count: props.charges.length + props.more,
      charges: props.charges.map((each) => `${money(each.amountMicros, props.currency)}, ${day(each.at)}`).join('; '),
      more: props.more,
    },
    path: props.charges.length === 1 ? order(props.charges[0]!.orderId) : '/account/planner',
  }),
  rewards_available: (props, { money }) => ({
    args: { amount: money(props.amountMicros, props.currency), count: props.count },
    path: '/account/referrals',
  }),
  payout_paid: (props, { money }) => ({
    args: { amount: money(props.amountMicros, props.currency), hint: props.hint, reference: props.reference },
    path: '/account/referrals/payouts',
  }),
  payout_declined: (props, { money }) => ({
    args: { amount: money(props.amountMicros, props.currency), hint: props.hint, reason: props.reason },
    path: '/account/referrals/payouts',
  }),
  announcement_news: announced,
  announcement_change: announced,
  announcement_maintenance: (props, write) => ({
    args: { ...touched(props, write), begins: write.day(props.beginsAt), ends: write.day(props.endsAt) },
    path: `/announcements/${props.slug}`,
  }),
  maintenance_changed: (props, write) => ({
    args: {
      ...touched(props, write),
      cancelled: props.isCancelled ? 'yes' : 'no',
      begins: write.day(props.beginsAt),
      ends: write.day(props.endsAt),
      wasBegins: write.day(props.wasBeginsAt),
      wasEnds: write.day(props.wasEndsAt),
    },
    path: `/announcements/${props.slug}`,
  }),
  order_expired: (props) => ({
    args: { automatic: props.wasAutomatic ? 'yes' : 'no' },
    path: order(props.orderId),
  }),
}

export const NOTICE_TEMPLATES = Object.keys(FACTS) as NoticeTemplate[]

/**
 * A notice in its reader's words. Made when it is read, so that it speaks the language and names the time zone of whoever reads. A template of a newer version of the shop
 * is said in general words.
 */
export function sayNotice(notice: { template: string; props: unknown }, reader: Reader): SaidNotice {
  const say = translator(reader.locale, 'notices')
  if (!Object.hasOwn(FACTS, notice.template))
    return { title: say('unknown.title'), line: say('unknown.line'), path: '/account' }
  const template = notice.template as NoticeTemplate
  const write: Writer = {
    locale: reader.locale,
    money: (micros, currency) => formatMoney(BigInt(micros), currency, reader.locale),
    day: (iso) =>
      new Intl.DateTimeFormat(reader.locale, {
        day: 'numeric',
        month: 'long',
        hour: '2-digit',
        minute: '2-digit',
        timeZone: reader.timeZone,
        timeZoneName: 'short',
      }).format(new Date(iso)),
  }
  const { args = {}, path } = FACTS[template](notice.props as never, write)
  return {
    title: say(`${template}.title` as 'order_failed.title', args as never),
    line: say(`${template}.line` as 'order_failed.line', args as never),
    path,
  }
}
