import { fileResponse } from '@/components/papers/file-response'
import { drawPaper, issueInvoice } from '@/lib/papers'
import { adminRoute } from '@/lib/web'

/** The same invoice that the customer gets. */
export const GET = adminRoute('orders.read', async ({ params }) => {
  const invoice = await issueInvoice({ orderId: params.orderId ?? '' })
  if (!invoice.ok) return invoice
  return fileResponse(await drawPaper(invoice.value), { name: `invoice-${invoice.value.number}`, type: 'pdf' })
})
