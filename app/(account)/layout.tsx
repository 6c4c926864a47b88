import type { ReactNode } from 'react'
import { setLocale, setTheme, signOut } from '@/app/actions'
import { AccountFrame } from '@/components/frame/account-frame'
import { MaintenanceBanner } from '@/components/announcements/maintenance-notes'
import { MailStopNotice } from '@/components/mail/mail-stop-notice'
import { getBalance } from '@/lib/ledger'
import { countUnread } from '@/lib/notices'
import { requireUser } from '@/lib/web'

/** The frame only. Each page checks for itself who asks: a layout does not protect its pages. */
export default async function AccountLayout({ children }: { children: ReactNode }) {
  const user = await requireUser()
  const [balance, unread] = await Promise.all([getBalance({ userId: user.id }), countUnread({ userId: user.id })])
  return (
    <AccountFrame user={user} balance={balance} unread={unread} actions={{ setLocale, setTheme, signOut }}>
      <MailStopNotice address={user.email} />
      <MaintenanceBanner userId={user.id} />
      {children}
    </AccountFrame>
  )
}
