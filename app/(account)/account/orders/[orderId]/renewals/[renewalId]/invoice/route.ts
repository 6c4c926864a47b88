import { fileResponse } from '@/components/papers/file-response'
import { drawPaper, issueRenewalInvoice } from '@/lib/papers'
import { userRoute } from '@/lib/web'

/** The invoice of a renewal of one's own order as PDF; issued now when the worker has not been there yet. */
export const GET = userRoute(async ({ params, user }) => {
  const invoice = await issueRenewalInvoice({ renewalId: params.renewalId ?? '', userId: user.id })
  if (!invoice.ok) return invoice
  return fileResponse(await drawPaper(invoice.value), { name: `invoice-${invoice.value.number}`, type: 'pdf' })
})
