import { randomBytes } from 'node:crypto'

/** Every prefix an id may carry, with what it names. A new kind of row is added here first. */
export const ID_PREFIXES = {
  usr: 'user',
  ses: 'session',
  etk: 'email token',
  cns: 'consent',
  acc: 'ledger account',
  trf: 'ledger transfer',
  prd: 'product',
  pln: 'plan',
  ofr: 'offer',
  pay: 'payment',
  rfd: 'refund',
  dsp: 'dispute',
  cmp: 'comparison with a provider',
  dif: 'difference to a provider',
  whm: 'webhook message',
  ord: 'order',
  int: 'order intent',
  imp: 'stock import',
  stk: 'stock unit',
  dlv: 'delivery',
  alc: 'allocation',
  chk: 'check of a proxy',
  ckr: 'check that was asked for',
  rnw: 'renewal',
  rnr: 'renewal run',
  rpl: 'replacement',
  ocr: 'order credit',
  pcy: 'product policy',
  acs: 'access change',
  pch: 'price change',
  prm: 'promotion',
  pru: 'use of a promotion',
  vbt: 'batch of vouchers',
  vch: 'voucher',
  eml: 'outgoing email',
  ntc: 'notice',
  msg: 'message through a channel',
  mev: 'mail event',
  sup: 'suppressed address',
  ann: 'announcement',
  cpn: 'campaign',
  rcp: 'recipient of a campaign',
  ppr: 'paper',
  tpl: 'export template',
  fed: 'feed',
  sel: 'selection of proxies',
  pvw: 'saved view',
  rfl: 'referral link',
  rru: 'referral rule',
  rwd: 'reward',
  rst: 'settlement of rewards',
  aud: 'audit entry',
  req: 'request key',
} as const

export type IdPrefix = keyof typeof ID_PREFIXES

/**
 * A new id: the prefix, then 32 hex digits that begin with the time in milliseconds, so that ids sort by age.
 * The SQL function `new_id` makes the same shape.
 */
export function newId(prefix: IdPrefix): string {
  const time = Date.now().toString(16).padStart(12, '0')
  return `${prefix}_${time}${randomBytes(10).toString('hex')}`
}

/** Whether the text has the shape of an id of this kind. Says nothing about whether the row exists. */
export function isId(prefix: IdPrefix, text: string): boolean {
  return new RegExp(`^${prefix}_[0-9a-f]{32}$`).test(text)
}
