/** A notice in its reader's words. `url` leads to the thing it speaks of. */
export type Message = { title: string; line: string; url: string }

/**
 * What became of a message.
 * `refused`: it will never be taken; `isGone` when the address takes nothing any more.
 * `later`: it was certainly not taken; `retryAfterMs` when the channel said how long to wait.
 * `unknown`: it was sent and nobody answered. It is not sent again: twice is worse than once in the app.
 */
export type SendOutcome =
  | { outcome: 'sent' }
  | { outcome: 'refused'; isGone: boolean }
  | { outcome: 'later'; why: string; retryAfterMs: number | null }
  | { outcome: 'unknown' }

/** A way to somebody besides the app and mail. An adapter is a function of its settings, without a database; it throws nothing it can name. */
export type Channel = {
  name: string
  send: (address: string, message: Message) => Promise<SendOutcome>
}
