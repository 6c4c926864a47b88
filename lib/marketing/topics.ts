import { translator } from '@/i18n/translator'
import type { Channel, Topic } from './schemas'

export { type Channel, CHANNELS, type Topic, TOPICS } from './schemas'

/**
 * The version of the sentences that people agree to (`consents.marketing…` of messages/). A change of their meaning changes it; consents keep the version they
 * were given to, and the words.
 */
export const MARKETING_VERSION = '2'

/** The version of the sentence by which somebody allows to be measured (`marketing.measuring.statement`). */
export const MEASURING_VERSION = '1'

/** What a topic is called. */
export function sayTopic(topic: Topic, locale: string): string {
  return translator(locale, 'marketing')(`topics.${topic}.name`)
}

/** The very words beside the box of a topic by a channel: what is stored as proof is what was shown. */
export function statementOf(topic: Topic, locale: string, channel: Channel = 'mail'): string {
  return translator(locale, 'marketing')(`topics.${topic}.${channel === 'mail' ? 'statement' : 'telegramStatement'}`)
}

/** The very words beside the one box at sign-up; they name every topic. */
export function signUpStatement(locale: string): string {
  return translator(locale, 'consents')('marketing')
}

/** The very words beside the box by which somebody allows that the shop learns what they open and follow. */
export function measuringStatement(locale: string): string {
  return translator(locale, 'marketing')('measuring.statement')
}
