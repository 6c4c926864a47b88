import { followLink } from '@/lib/marketing'
import { isPrefetch, publicRoute, type RouteInput } from '@/lib/web'

export const dynamic = 'force-dynamic'

/**
 * A link of a mail whose reader allowed the shop to learn which links they follow. It leads where the campaign's own text leads: nothing in the address says where, so that it cannot
 * be made to lead anywhere else. 302, with or without their yes of now; 404 for a token that is not ours. HEAD and prefetch count nothing.
 */
const follow =
  (isRead: boolean) =>
  async ({ request, params }: RouteInput) => {
    const link = await followLink(params.token ?? '', { isCounted: isRead && !isPrefetch(request.headers) })
    if (!link.ok) return link
    return new Response(null, {
      status: 302,
      headers: {
        Location: link.value.url,
        'Cache-Control': 'no-store',
        'Referrer-Policy': 'no-referrer',
        'X-Robots-Tag': 'noindex',
      },
    })
  }

export const GET = publicRoute(follow(true))
export const HEAD = publicRoute(follow(false))
