import { accepted } from '@/lib/kit'
import { receiveWebhook } from '@/lib/payments'
import { webhookRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/**
 * Where payment providers tell that something changed: stored once, settled by the worker. 202 for what was taken, also for a repeat;
 * 404 for a provider without settings, 401 for a signature that does not fit, 400 for what is not of the agreed form, 413 for too much.
 */
export const POST = webhookRoute(async ({ params, headers, body }) => {
  const received = await receiveWebhook(params.provider ?? '', headers, body)
  if (!received.ok) return received
  // CryptoCloud repeats a postback until it hears exactly this.
  if (params.provider === 'cryptocloud') return accepted({ message: 'Postback received' })
  const message = received.value.isNew
    ? 'Stored. The payment will be checked with you and settled.'
    : 'Known already. Nothing is stored twice.'
  return Response.json({ message }, { status: 202, headers: { 'Cache-Control': 'no-store' } })
})
