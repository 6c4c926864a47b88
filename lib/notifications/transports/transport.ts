import type { Sender } from '../addresses'
import type { MailFailure } from '../states'

/** A mail that is ready to go. */
export type MailMessage = {
  /** Names this mail in this round: the same id is the same mail, however often it is handed over. */
  id: string
  from: Sender
  replyTo: string | null
  to: string
  subject: string
  html: string
  text: string
  headers?: Record<string, string>
  /** Comes back in the mail service's webhooks, so that an event finds its mail before we have kept the service's own id. */
  tag?: string
}

/** What became of a mail that was handed over. */
export type SendOutcome =
  /** The service has it, and will see to it. The id is null when the service took it in an attempt whose answer we never saw. */
  | { kind: 'taken'; messageId: string | null }
  /** It is not taken, and will not be however often it is tried. */
  | { kind: 'refused'; failure: MailFailure; detail: string }
  /** It was not taken this time. */
  | { kind: 'later'; failure: MailFailure; detail: string; retryAfterMs: number | null }
  /** It was handed over, and nobody heard whether it was taken. */
  | { kind: 'unknown'; detail: string }

/** The most mails that go in one batch: Resend's limit. */
export const BATCH_MAX = 100

/** A way to hand mails over. Nothing throws for what a service says or fails to say; every outcome is a value. Details hold no secret. */
export interface MailTransport {
  readonly name: 'resend' | 'smtp'
  /** Whether handing the same id over twice within a day sends it once. Where not, an unknown outcome stays unknown. */
  readonly isIdempotent: boolean
  send(message: MailMessage): Promise<SendOutcome>
  /**
   * Up to BATCH_MAX mails at once, with an outcome for each, in order. `key` names the batch: the same key with the same mails sends them once where
   * the transport is idempotent. Throws InvariantError for more.
   */
  sendBatch(key: string, messages: readonly MailMessage[]): Promise<SendOutcome[]>
  /** Takes the address off the service's own list of addresses that get no mail, where it has one. Throws OperationalError when it could not be asked. */
  release(address: string): Promise<void>
}

/** What a service said, for staff: one line, cut short, without anything that looks like a key. */
export function detailOf(text: string): string {
  return text
    .replace(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replace(/\b(re|whsec)_[A-Za-z0-9_+/=-]+/g, '…')
    .trim()
    .slice(0, 300)
}
