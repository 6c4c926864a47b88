import { PROXY_FILES, type ProxyFile, proxyFile } from '@/components/orders/proxy-files'
import { refused } from '@/lib/kit'
import { findOrder } from '@/lib/orders'
import { listAllocations } from '@/lib/provisioning'
import { userRoute } from '@/lib/web'

/** The proxies of one's own order as a file: `?format=txt`, `csv` or `json`. Somebody else's order, or another format, is not found. */
export const GET = userRoute(async ({ request, params, user }) => {
  const format = new URL(request.url).searchParams.get('format') ?? 'txt'
  const order = await findOrder({ orderId: params.orderId ?? '', userId: user.id })
  if (!order || !Object.hasOwn(PROXY_FILES, format)) return refused('not_found')
  const kind = format as ProxyFile
  const proxies = await listAllocations({ userId: user.id, orderId: order.id })
  return new Response(proxyFile(proxies, kind), {
    headers: {
      'Content-Type': PROXY_FILES[kind],
      'Content-Disposition': `attachment; filename="proxies-${order.id.slice(-8)}.${kind}"`,
      'Cache-Control': 'no-store',
    },
  })
})
