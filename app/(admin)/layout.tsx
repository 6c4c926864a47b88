import type { ReactNode } from 'react'
import { setLocale, setTheme, signOut } from '@/app/actions'
import { AdminFrame } from '@/components/frame/admin-frame'
import { listFailedJobs } from '@/lib/jobs'
import { requireAdmin } from '@/lib/web'

/** The frame only. Each page checks its own permission. */
export default async function AdminLayout({ children }: { children: ReactNode }) {
  const user = await requireAdmin()
  const jobs = (await listFailedJobs()).length
  return (
    <AdminFrame user={user} counts={{ jobs }} actions={{ setLocale, setTheme, signOut }}>
      {children}
    </AdminFrame>
  )
}
