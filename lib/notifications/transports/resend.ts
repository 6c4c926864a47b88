import { type CreateEmailOptions, Resend } from 'resend'
import { invariant, OperationalError, SECOND_MS } from '@/lib/kit'
import { formatSender } from '../addresses'
import type { MailFailure } from '../states'
import { BATCH_MAX, detailOf, type MailMessage, type MailTransport, type SendOutcome } from './transport'

/** The name of the tag that carries our own id. */
export const TAG_NAME = 'sluice_mail'

/** Resend answers in a second; a batch in a few. */
const ANSWER_MS_MAX = 30 * SECOND_MS

type Refused = { name?: string; message?: string; statusCode?: number | null }

/**
 * Resend, through its SDK. The message's id goes along as idempotency key, so an attempt whose answer was lost is simply made again (Resend keeps
 * such keys for a day): no outcome is ever unknown.
 */
export function resendTransport(options: { apiKey: string; apiUrl?: string | undefined }): MailTransport {
  const client = new Resend(options.apiKey, options.apiUrl ? { baseUrl: options.apiUrl } : {})

  async function send(message: MailMessage): Promise<SendOutcome> {
    const answer = await inTime((signal) =>
      client.emails.send(wireOf(message), { idempotencyKey: message.id, ...signal }),
    )
    if (answer === null) return TOO_SLOW
    return answer.error ? outcomeOf(answer.error, answer.headers) : { kind: 'taken', messageId: answer.data.id }
  }

  async function sendBatch(key: string, messages: readonly MailMessage[]): Promise<SendOutcome[]> {
    invariant(messages.length <= BATCH_MAX, `a batch has at most ${BATCH_MAX} mails`)
    if (messages.length === 0) return []
    // One address that Resend does not take must not hold the other ninety-nine back.
    const options = { idempotencyKey: key, batchValidation: 'permissive' } as const
    const answer = await inTime((signal) => client.batch.send(messages.map(wireOf), { ...options, ...signal }))
    if (answer === null || answer.error) {
      const outcome = answer === null ? TOO_SLOW : outcomeOf(answer.error, answer.headers)
      return messages.map(() => outcome)
    }
    const { data } = answer
    const refusedAt = new Map((data.errors ?? []).map(({ index, message }) => [index, message]))
    const ids = data.data.values()
    return messages.map((_, index) => {
      const why = refusedAt.get(index)
      if (why !== undefined) return { kind: 'refused', failure: failureOf(why), detail: detailOf(why) }
      return { kind: 'taken', messageId: ids.next().value?.id ?? null }
    })
  }

  async function release(address: string): Promise<void> {
    const { error } = await client.suppressions.remove(address)
    if (error && error.statusCode !== 404 && error.name !== 'not_found')
      throw new OperationalError('resend', `an address stays on its list: ${detailOf(error.name ?? 'no answer')}`)
  }

  return { name: 'resend', isIdempotent: true, send, sendBatch, release }
}

const TOO_SLOW: SendOutcome = {
  kind: 'later',
  failure: 'service_away',
  detail: 'no answer in time',
  retryAfterMs: null,
}

/** The answer, or null when there is none in time: the SDK itself waits for as long as the connection lives. */
async function inTime<Answer>(ask: (options: { signal: AbortSignal }) => Promise<Answer>): Promise<Answer | null> {
  const signal = AbortSignal.timeout(ANSWER_MS_MAX)
  try {
    return await ask({ signal })
  } catch (error) {
    if (signal.aborted) return null
    throw error
  }
}

function wireOf(message: MailMessage): CreateEmailOptions & { attachments?: never } {
  return {
    from: formatSender(message.from),
    to: message.to,
    subject: message.subject,
    html: message.html,
    text: message.text,
    ...(message.replyTo ? { replyTo: message.replyTo } : {}),
    ...(message.headers ? { headers: message.headers } : {}),
    ...(message.tag ? { tags: [{ name: TAG_NAME, value: message.tag }] } : {}),
  }
}

/** Refusals that say something about our account and not about the mail: it waits until somebody has put the account right. */
const OUR_FAULT: Record<string, MailFailure> = {
  missing_api_key: 'not_admitted',
  invalid_api_key: 'not_admitted',
  restricted_api_key: 'not_admitted',
  invalid_access: 'not_admitted',
  invalid_from_address: 'sender_refused',
  monthly_quota_exceeded: 'rate_limited',
  daily_quota_exceeded: 'rate_limited',
  rate_limit_exceeded: 'rate_limited',
}

function outcomeOf(error: Refused, headers: Record<string, string> | null): SendOutcome {
  const name = error.name ?? ''
  const status = error.statusCode ?? null
  const detail = detailOf([name, error.message].filter(Boolean).join(': ') || 'no answer')
  const retryAfterMs = retryAfter(headers)
  // The key was used with other words (the sender was changed meanwhile, say): the mail has been taken before, and a second one would be one too many.
  if (name === 'invalid_idempotent_request') return { kind: 'taken', messageId: null }
  const ours = OUR_FAULT[name] ?? (status === 429 ? 'rate_limited' : status === 401 ? 'not_admitted' : undefined)
  if (ours) return { kind: 'later', failure: ours, detail, retryAfterMs }
  // A domain that was not proven answers 403 under the name of a wrong field.
  if (status === 403) return { kind: 'later', failure: 'sender_refused', detail, retryAfterMs }
  if (status === 422 || status === 400)
    return isAboutSender(error.message)
      ? { kind: 'later', failure: 'sender_refused', detail, retryAfterMs }
      : { kind: 'refused', failure: failureOf(error.message ?? ''), detail }
  return { kind: 'later', failure: 'service_away', detail, retryAfterMs }
}

const isAboutSender = (message: string | undefined) => /`from`/.test(message ?? '')
const failureOf = (message: string): MailFailure => (/`to`/.test(message) ? 'invalid_address' : 'refused')

/** How long the service asks to be left alone; seconds or a date. Null when it does not say. */
function retryAfter(headers: Record<string, string> | null): number | null {
  const said = headers?.['retry-after']
  if (!said) return null
  if (/^\d+(\.\d+)?$/.test(said)) return Math.ceil(Number(said) * SECOND_MS)
  const until = Date.parse(said)
  return Number.isNaN(until) ? null : Math.max(0, until - Date.now())
}
