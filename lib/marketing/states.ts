import { defineTransitions } from '@/lib/kit'
import { MAIL_STATES } from '@/lib/notifications'

export const CAMPAIGN_STATES = ['draft', 'scheduled', 'sending', 'paused', 'sent', 'cancelled'] as const
export type CampaignState = (typeof CAMPAIGN_STATES)[number]

/** What may become of a campaign. Only a draft can be written; what was cancelled or sent stays so. */
export const CAMPAIGN_MOVES = defineTransitions<CampaignState>('draft', {
  draft: ['scheduled', 'sending'],
  scheduled: ['draft', 'sending', 'cancelled'],
  sending: ['paused', 'sent', 'cancelled'],
  paused: ['sending', 'cancelled'],
  sent: [],
  cancelled: [],
})

/** A recipient's mail has the states of every mail; whom their own no or their account stopped was left out. */
export const RECIPIENT_STATES = [...MAIL_STATES, 'skipped'] as const
export type RecipientState = (typeof RECIPIENT_STATES)[number]

/**
 * What the mail service may tell of a recipient. One that was skipped or given up may have been taken all the same, in an attempt whose answer nobody saw: the
 * mail service knows, and its word counts.
 */
export const RECIPIENT_MOVES = defineTransitions<RecipientState>('queued', {
  queued: ['sending', 'skipped', 'sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'],
  sending: ['queued', 'skipped', 'sent', 'delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'],
  sent: ['delivered', 'delayed', 'bounced', 'complained', 'failed', 'suppressed'],
  delayed: ['delivered', 'bounced', 'complained', 'failed', 'suppressed'],
  delivered: ['bounced', 'complained'],
  bounced: ['complained'],
  complained: [],
  failed: ['sent', 'delivered', 'delayed', 'bounced', 'complained'],
  suppressed: [],
  skipped: ['sent', 'delivered', 'delayed', 'bounced', 'complained'],
})

/** The states from which a recipient may come to this one. */
export function recipientStatesBefore(state: RecipientState): RecipientState[] {
  return RECIPIENT_STATES.filter((from) => RECIPIENT_MOVES[from].includes(state))
}

/** Why somebody of the audience was left out when their turn came. */
export const SKIP_REASONS = ['withdrawn', 'suspended', 'unconfirmed', 'unlinked', 'stopped'] as const
export type SkipReason = (typeof SKIP_REASONS)[number]
