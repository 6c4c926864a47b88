import { translator } from '@/i18n/translator'
import { formatMoney, type Refusal } from '@/lib/kit'

/**
 * Every refusal that can reach a screen or a machine: its HTTP status, and the form field it belongs to when it belongs to one. The sentence is the
 * text `refusals.<code>`. The wrappers take only work whose refusals are in this table, so a missing row does not compile.
 */
export const REFUSALS = {
  // access
  sign_in_needed: { status: 401 },
  not_allowed: { status: 403 },
  foreign_origin: { status: 403 },
  not_found: { status: 404 },
  body_too_large: { status: 413 },
  body_unreadable: { status: 400 },
  body_too_slow: { status: 408 },
  // identity
  credentials_refused: { status: 401 },
  email_taken: { status: 409, field: 'email' },
  link_invalid: { status: 410 },
  password_too_weak: { status: 422, field: 'password' },
  password_wrong: { status: 422, field: 'currentPassword' },
  username_taken: { status: 409, field: 'username' },
  // orders
  plan_not_found: { status: 404 },
  place_unavailable: { status: 409 },
  period_unavailable: { status: 409 },
  quantity_out_of_range: { status: 422 },
  price_changed: { status: 409 },
  in_debt: { status: 402 },
  insufficient_balance: { status: 402 },
  sold_out: { status: 409 },
  key_reused: { status: 409 },
  too_many_waiting: { status: 409 },
  too_many_addresses: { status: 422, field: 'addresses' },
  address_unreadable: { status: 422, field: 'addresses' },
  address_not_public: { status: 422, field: 'addresses' },
  address_taken: { status: 409, field: 'addresses' },
  access_unchangeable: { status: 409 },
  access_refused: { status: 409 },
  access_unknown: { status: 409 },
  access_under_way: { status: 409 },
  access_unavailable: { status: 503 },
  // promotions
  promotion_not_valid: { status: 422 },
  promotion_used_up: { status: 409 },
  voucher_not_valid: { status: 422, field: 'voucherCode' },
  too_many_tries: { status: 429 },
  code_taken: { status: 409, field: 'code' },
  terms_in_use: { status: 409 },
  codes_made: { status: 409 },
  batch_withdrawn: { status: 409 },
  // marketing
  campaign_under_way: { status: 409 },
  campaign_cannot: { status: 409 },
  channel_off: { status: 409 },
  chat_not_linked: { status: 409 },
  // referrals
  referral_code_unknown: { status: 422, field: 'invitation' },
  referral_code_taken: { status: 409, field: 'code' },
  too_many_links: { status: 409 },
  nothing_available: { status: 409 },
  below_minimum: { status: 422 },
  payout_method_unknown: { status: 422, field: 'method' },
  destination_unreadable: { status: 422, field: 'destination' },
  payout_ended: { status: 409 },
  amount_changed: { status: 409 },
  reference_missing: { status: 422, field: 'reference' },
  // payments
  unknown_provider: { status: 404 },
  amount_out_of_range: { status: 422, field: 'amountMicros' },
  amount_not_whole_cents: { status: 422, field: 'amountMicros' },
  too_many_open_payments: { status: 409 },
  first_top_up_too_large: { status: 422, field: 'amountMicros' },
  daily_limit_reached: { status: 422, field: 'amountMicros' },
  currency_not_taken: { status: 409 },
  not_refundable: { status: 409 },
  refund_too_large: { status: 422, field: 'amountMicros' },
  refund_ended: { status: 409 },
  already_decided: { status: 409 },
  order_under_way: { status: 409 },
  request_key_reused: { status: 409 },
  provider_unavailable: { status: 503 },
  bad_signature: { status: 401 },
  malformed: { status: 400 },
  not_in_review: { status: 409 },
  difference_ended: { status: 409 },
  not_correctable: { status: 409 },
  nothing_to_credit: { status: 409 },
  reason_missing: { status: 422, field: 'reason' },
  // ways to pay; a refusal about one of several fields names it in its facts
  secret_missing: { status: 422 },
  setting_missing: { status: 422 },
  setting_malformed: { status: 422 },
  secret_unreadable: { status: 409 },
  secret_needed_again: { status: 422 },
  stand_in_in_production: { status: 422 },
  test_key_in_production: { status: 422 },
  limits_crossed: { status: 422 },
  charge_incomplete: { status: 422 },
  charge_is_shop_currency: { status: 422 },
  payments_open: { status: 409 },
  // suppliers
  unknown_supplier: { status: 404 },
  supplier_in_use: { status: 409 },
  not_waiting: { status: 409 },
  purchase_taken: { status: 409, field: 'supplierOrderId' },
  proxies_unreadable: { status: 422, field: 'proxies' },
  supplier_unavailable: { status: 503 },
  param_missing: { status: 422 },
  param_malformed: { status: 422 },
  // announcements
  announcement_changed: { status: 409 },
  already_published: { status: 409 },
  already_withdrawn: { status: 409 },
  maintenance_over: { status: 409 },
  publish_in_past: { status: 422, field: 'publishAt' },
  published_too_late: { status: 422, field: 'publishAt' },
  begins_before_published: { status: 422, field: 'beginsAt' },
  // mail
  mail_not_sendable: { status: 409 },
  address_stopped: { status: 409 },
  // papers
  not_credited: { status: 409 },
  not_delivered: { status: 409 },
  span_invalid: { status: 422, field: 'from' },
  span_too_long: { status: 422, field: 'from' },
  too_many_lines: { status: 422, field: 'format' },
  // the bot
  telegram_token_refused: { status: 422, field: 'secretToken' },
  telegram_unavailable: { status: 503 },
  telegram_webhook_refused: { status: 409 },
  bot_changed_meanwhile: { status: 409 },
  // checks of proxies
  nothing_to_check: { status: 409 },
  check_running: { status: 409 },
  checked_just_now: { status: 429 },
  too_many_checks: { status: 429 },
  // exports
  template_empty: { status: 422, field: 'text' },
  template_too_long: { status: 422, field: 'text' },
  template_field_unknown: { status: 422, field: 'text' },
  template_field_quoted: { status: 422, field: 'text' },
  template_not_json: { status: 422, field: 'text' },
  template_one_line: { status: 422, field: 'text' },
  template_name_taken: { status: 409, field: 'name' },
  too_many_templates: { status: 409 },
  template_in_use: { status: 409 },
  too_many_feeds: { status: 409 },
  // what a customer holds
  too_many_tags: { status: 422 },
  tag_too_long: { status: 422 },
  too_many_own_tags: { status: 422 },
  too_many_views: { status: 409 },
  nothing_selected: { status: 422 },
  selection_too_large: { status: 422 },
  preview_outdated: { status: 409 },
  not_renewable: { status: 409 },
  renewal_open: { status: 409 },
  already_ended: { status: 409 },
  nothing_to_refund: { status: 409 },
  nothing_to_replace: { status: 409 },
  proxy_being_replaced: { status: 409 },
  // catalogue and stock
  slug_taken: { status: 409, field: 'slug' },
  changed_meanwhile: { status: 409 },
  lead_too_long: { status: 422, field: 'leadHours' },
  moment_passed: { status: 422, field: 'at' },
  moment_too_far: { status: 422, field: 'at' },
  change_twice: { status: 409, field: 'at' },
  change_ended: { status: 409 },
  rule_sets_prices: { status: 409 },
  rule_changed_meanwhile: { status: 409 },
  changes_planned: { status: 409 },
  cost_missing: { status: 409 },
  rate_missing: { status: 409 },
  price_below_cost: { status: 422 },
  price_of_nothing: { status: 422 },
  nothing_to_import: { status: 422, field: 'text' },
} as const satisfies Record<string, { status: number; field?: string }>

type RefusalCode = keyof typeof REFUSALS
export type KnownRefusal = Refusal<RefusalCode>

/** Facts as text: bigints and dates are written out, so that they can be sent to a browser. */
export function factTexts(facts: Record<string, unknown>): Record<string, string> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(facts)) {
    if (value instanceof Date) texts[name] = value.toISOString()
    else if (['string', 'number', 'bigint', 'boolean'].includes(typeof value)) texts[name] = String(value)
  }
  return texts
}

/**
 * The sentence for a refusal in the person's language. Its facts ride along: one named `missingMicros` becomes the argument `missing`, an amount in
 * the refusal's `currency`; whole numbers become numbers, so that plural forms work; everything else goes in as it is.
 */
export function sayRefusal(refusal: KnownRefusal, locale: string): string {
  const facts = factTexts(refusal.facts)
  const args: Record<string, string | number> = {}
  for (const [name, text] of Object.entries(facts)) {
    if (name.endsWith('Micros') && /^-?\d+$/.test(text))
      args[name.slice(0, -'Micros'.length)] = formatMoney(BigInt(text), facts.currency ?? '', locale)
    else args[name] = /^\d{1,9}$/.test(text) ? Number(text) : text
  }
  return translator(locale, 'refusals')(refusal.code as 'not_found', args as never)
}
