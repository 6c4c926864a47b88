import { accepted } from '@/lib/kit'
import { addressOf, publicRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** Says from which address it was asked, and keeps nothing of it: what checks of proxies look at (lib/checks). Null when it cannot be known. */
export const GET = publicRoute(async ({ request }) => accepted({ address: addressOf(request.headers) }))
