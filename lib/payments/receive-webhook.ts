import { createHash } from 'node:crypto'
import { db, Prisma } from '@/lib/db'
import { accepted, newId, type Refusal, refused, type Result } from '@/lib/kit'
import { settlePaymentJob } from './jobs'
import type { Provider } from './providers/provider'
import { findProvider } from './providers/registry'

export type WebhookReceipt = {
  /** Null when nothing was stored: an unsigned hint about no payment of ours. */
  messageId: string | null
  /** False for a repeat of a fact that is already in the inbox. */
  isNew: boolean
  /** Whether a settle job was promised. */
  isQueued: boolean
}

const UNHEEDED: WebhookReceipt = { messageId: null, isNew: false, isQueued: false }

/**
 * Takes a provider's callback: verified as it arrives (signatures age), stored once, settled later by the worker. What is stored are ids and
 * a digest; amounts are asked for again, persons are never read. One round trip: the message and its job stand or fall together.
 * A callback that nothing vouches for (`isUnsigned`) is stored only when it names a payment of ours, and what follows a job is done fifteen seconds after
 * it, so that nobody can fill the inbox or have us ask the provider without end.
 * A repeat counts up; it brings a new job only when the earlier one ended without a credit, because then something may have changed, or when the vendor
 * tells further facts under the same id (`recurs`).
 *
 * Refuses `unknown_provider` (no settings here: 404), `bad_signature` (401) and `malformed` (400); nothing is stored then. The
 * accepted rest is answered 202, also when the payment is not known (yet).
 */
export async function receiveWebhook(
  providerName: string,
  headers: Headers,
  body: Buffer,
  options: { providers?: readonly Provider[]; now?: Date } = {},
): Promise<Result<WebhookReceipt, Refusal<'unknown_provider' | 'bad_signature' | 'malformed'>>> {
  const provider = await findProvider(providerName, options.providers)
  if (!provider) return refused('unknown_provider')
  const verified = await provider.verifyWebhook({ headers, body, now: options.now ?? new Date() })
  if (!verified.ok) return verified
  const { externalId, providerPaymentId, paymentId } = verified.value
  const recurs = verified.value.recurs === true
  const isUnsigned = provider.isUnsigned === true
  // Whatever the provider: PostgreSQL cannot store a zero byte, and the message would be a fault instead of a refusal.
  if ([externalId, providerPaymentId, paymentId].some((id) => id?.includes('\0'))) return refused('malformed')
  const digest = createHash('sha256').update(body).digest('hex')

  // The earlier row is locked before it is counted up, so that of many repeats at once one brings a job; counting it makes it come first.
  const [row] = await db().$queryRaw<{ id: string; isNew: boolean; isQueued: boolean }[]>(Prisma.sql`
    WITH known AS (
      SELECT 1 FROM payments WHERE provider = ${provider.name} AND ${isUnsigned}::boolean
        AND (provider_payment_id = ${providerPaymentId} OR (id = ${paymentId} AND provider_payment_id IS NULL)) LIMIT 1
    ), earlier AS (
      SELECT processed_at, processed_at IS NOT NULL AND (${recurs}::boolean OR outcome NOT IN ('credited', 'already_credited')) AS is_open
      FROM webhook_messages WHERE provider = ${provider.name} AND external_id = ${externalId}
      FOR UPDATE
    ), message AS (
      INSERT INTO webhook_messages AS m (id, provider, external_id, provider_payment_id, payment_id, digest)
      SELECT ${newId('whm')}, ${provider.name}, ${externalId}, ${providerPaymentId}, ${paymentId}, ${digest}
      WHERE (SELECT count(*) FROM earlier) >= 0 AND (NOT ${isUnsigned}::boolean OR EXISTS (SELECT 1 FROM known))
      ON CONFLICT (provider, external_id) DO UPDATE SET repeats = m.repeats + 1,
        processed_at = CASE WHEN m.outcome IN ('credited', 'already_credited') AND NOT ${recurs}::boolean THEN m.processed_at END
      RETURNING id, xmax = 0 AS is_new
    ), job AS (
      INSERT INTO outbox_jobs (name, payload, run_at)
      SELECT ${settlePaymentJob.name}, jsonb_build_object('provider', ${provider.name}::text, 'providerPaymentId', ${providerPaymentId}::text,
        'paymentId', ${paymentId}::text, 'messageId', message.id),
        CASE WHEN ${isUnsigned}::boolean THEN greatest(now(), (SELECT processed_at FROM earlier) + interval '15 seconds') ELSE now() END
      FROM message WHERE message.is_new OR coalesce((SELECT is_open FROM earlier), false)
      RETURNING id
    )
    SELECT id, is_new AS "isNew", EXISTS (SELECT 1 FROM job) AS "isQueued" FROM message`)
  return accepted(row ? { messageId: row.id, isNew: row.isNew, isQueued: row.isQueued } : UNHEEDED)
}
