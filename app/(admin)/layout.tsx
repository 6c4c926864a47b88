import type { ReactNode } from 'react'
import { setLocale, setTheme, signOut } from '@/app/actions'
import { AdminFrame } from '@/components/frame/admin-frame'
import { countQueues } from '@/lib/admin'
import { requireAdmin } from '@/lib/web'

/** The frame only. Each page checks its own permission. */
export default async function AdminLayout({ children }: { children: ReactNode }) {
  const user = await requireAdmin()
  const queues = await countQueues()
  const counts = {
    payments: queues.payments + queues.returns + queues.differences,
    jobs: queues.failedJobs,
    suppliers: queues.unknownOutcomes + queues.lateExchanges,
    referrals: queues.referrals,
  }
  return (
    <AdminFrame user={user} counts={counts} actions={{ setLocale, setTheme, signOut }}>
      {children}
    </AdminFrame>
  )
}
