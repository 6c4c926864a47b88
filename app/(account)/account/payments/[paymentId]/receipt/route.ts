import { fileResponse } from '@/components/papers/file-response'
import { drawPaper, issueReceipt } from '@/lib/papers'
import { userRoute } from '@/lib/web'

/** The receipt of one's own payment as PDF; issued now when the worker has not been there yet. */
export const GET = userRoute(async ({ params, user }) => {
  const receipt = await issueReceipt({ paymentId: params.paymentId ?? '', userId: user.id })
  if (!receipt.ok) return receipt
  return fileResponse(await drawPaper(receipt.value), { name: `receipt-${receipt.value.number}`, type: 'pdf' })
})
