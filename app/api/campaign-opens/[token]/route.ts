import { noteOpening } from '@/lib/marketing'
import { isPrefetch, publicRoute, type RouteInput } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** One pixel that nobody sees. */
const PIXEL = Buffer.from('R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7', 'base64')

/**
 * The image of a mail whose reader allowed the shop to learn that they open it. The same image, with or without their yes of now; 404 for a token that is not ours. HEAD and
 * prefetch count nothing.
 */
const show =
  (isRead: boolean) =>
  async ({ request, params }: RouteInput) => {
    const noted = await noteOpening(params.token ?? '', { isCounted: isRead && !isPrefetch(request.headers) })
    if (!noted.ok) return noted
    return new Response(isRead ? PIXEL : null, {
      headers: { 'Content-Type': 'image/gif', 'Content-Length': String(PIXEL.length), 'Cache-Control': 'no-store' },
    })
  }

export const GET = publicRoute(show(true))
export const HEAD = publicRoute(show(false))
