import { accepted } from '@/lib/kit'
import { publicRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** Whether this process lives. It asks nobody else, so that a balancer does not kill it for the database's sake. */
export const GET = publicRoute(async () => accepted({ status: 'alive' }))
