import { exportResponse } from '@/components/exports/export-response'
import { findWriter, readProxies } from '@/lib/exports'
import { refused } from '@/lib/kit'
import { findOrder } from '@/lib/orders'
import { userRoute } from '@/lib/web'

/**
 * The proxies of one's own order as a file, also those that have ended: `?format=txt`, `csv`, `json`, another format of the export studio, or the id
 * of one's own template. Somebody else's order, or another format, is not found.
 */
export const GET = userRoute(async ({ request, params, user }) => {
  const format = new URL(request.url).searchParams.get('format') ?? 'txt'
  const order = await findOrder({ orderId: params.orderId ?? '', userId: user.id })
  const writer = order && (await findWriter(user.id, format))
  if (!writer) return refused('not_found')
  const pages = readProxies({ userId: user.id, filter: { order: order.id }, scope: 'order' })
  return exportResponse(pages, writer, `proxies-${order.id.slice(-8)}`)
})
