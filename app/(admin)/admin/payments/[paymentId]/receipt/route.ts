import { fileResponse } from '@/components/papers/file-response'
import { drawPaper, issueReceipt } from '@/lib/papers'
import { adminRoute } from '@/lib/web'

/** The same receipt that the customer gets. */
export const GET = adminRoute('payments.read', async ({ params }) => {
  const receipt = await issueReceipt({ paymentId: params.paymentId ?? '' })
  if (!receipt.ok) return receipt
  return fileResponse(await drawPaper(receipt.value), { name: `receipt-${receipt.value.number}`, type: 'pdf' })
})
