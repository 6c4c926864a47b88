import { fileResponse, textStream } from '@/components/papers/file-response'
import { exportRewards } from '@/lib/referrals'
import { adminRoute } from '@/lib/web'

export const dynamic = 'force-dynamic'

/** Every reward as CSV. */
export const GET = adminRoute('referrals.read', async () =>
  fileResponse(textStream(exportRewards()), { name: 'rewards', type: 'csv' }),
)
