import type { ReactNode } from 'react'
import { setLocale, setTheme } from '@/app/actions'
import { SiteFrame } from '@/components/frame/site-frame'

export default function PublicLayout({ children }: { children: ReactNode }) {
  return <SiteFrame actions={{ setLocale, setTheme }}>{children}</SiteFrame>
}
