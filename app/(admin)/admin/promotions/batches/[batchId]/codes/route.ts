import { fileResponse } from '@/components/papers/file-response'
import { makeVouchers } from '@/lib/promotions'
import { adminRoute } from '@/lib/web'

/** Makes the codes of a batch and hands them out as a table, the only time they can be seen. A second time leads back to the batch, which says so. */
export const POST = adminRoute('promotions.write', async ({ request, params, user }) => {
  const batchId = params.batchId ?? ''
  const made = await makeVouchers({ kind: 'staff', id: user.id }, { batchId })
  if (made.ok) {
    const table = made.value.codes.map((code) => `${code}\r\n`).join('')
    return fileResponse(Buffer.from(`voucher\r\n${table}`), { name: `vouchers-${batchId.slice(-8)}`, type: 'csv' })
  }
  if (made.refusal.code === 'not_found' || !request.headers.get('accept')?.includes('text/html')) return made
  return new Response(null, { status: 303, headers: { Location: `/admin/promotions/batches/${batchId}` } })
})
