import { campaignMails } from '@/lib/marketing'
import { type MailEventReceipt, receiveMailEvent } from '@/lib/notifications'
import { webhookRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

const SENTENCES: Record<MailEventReceipt, string> = {
  stored: 'Stored.',
  known: 'Known already. Nothing is stored twice.',
  not_ours: 'No mail of this shop. Nothing is stored.',
  not_heeded: 'Nothing here goes by this. Nothing is stored.',
}

/**
 * Where Resend tells what became of a mail. 202 for what was understood, also for a repeat and for what is none of our business, so that it is not sent
 * again; 404 without a signing secret, 401 for a signature that does not fit or is old, 400 for what is not of the agreed form, 413 for too much.
 */
export const POST = webhookRoute(async ({ headers, body }) => {
  const received = await receiveMailEvent(headers, body, [campaignMails])
  if (!received.ok) return received
  return Response.json(
    { message: SENTENCES[received.value] },
    { status: 202, headers: { 'Cache-Control': 'no-store' } },
  )
})
