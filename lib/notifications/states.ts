import { defineTransitions } from '@/lib/kit'

export const MAIL_STATES = [
  'queued',
  'sending',
  'sent',
  'delivered',
  'delayed',
  'bounced',
  'complained',
  'failed',
  'suppressed',
] as const
export type MailState = (typeof MAIL_STATES)[number]

/**
 * What may become of a mail. What the mail service tells arrives in any order and more than once, so nothing leads back: a `sent` that comes late
 * never undoes a `delivered`. A mail can bounce after it was delivered, because some servers take a mail first and look for its mailbox later.
 * Only staff who send a mail again bring it back to `queued`.
 */
export const MAIL_MOVES = defineTransitions<MailState>('queued', {
  queued: ['sending', 'sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'],
  sending: ['queued', 'sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'],
  sent: ['delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'],
  delayed: ['delivered', 'bounced', 'complained', 'failed', 'suppressed'],
  delivered: ['bounced', 'complained'],
  bounced: ['queued', 'complained'],
  failed: ['queued'],
  suppressed: ['queued'],
  complained: [],
})

/** The states from which a mail may come to this one. */
export function statesBefore(state: MailState): MailState[] {
  return MAIL_STATES.filter((from) => MAIL_MOVES[from].includes(state))
}

/**
 * Why a mail did not arrive, or why it still waits. The first six end it, the others are tried again:
 * `invalid_address` is no address at all; `refused` will not be taken however often it is tried; `no_such_mailbox` and `bounced_soft` came back;
 * `gave_up` was tried for twenty hours; `outcome_unknown` may have arrived, and nobody can say.
 */
export const MAIL_FAILURES = [
  'invalid_address',
  'refused',
  'no_such_mailbox',
  'bounced_soft',
  'gave_up',
  'outcome_unknown',
  'address_stopped',
  'complained',
  'service_away',
  'rate_limited',
  'not_admitted',
  'sender_refused',
] as const
export type MailFailure = (typeof MAIL_FAILURES)[number]

export const SUPPRESSION_REASONS = ['hard_bounce', 'complaint', 'provider_list'] as const
export type SuppressionReason = (typeof SUPPRESSION_REASONS)[number]
