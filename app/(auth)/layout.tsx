import type { ReactNode } from 'react'
import { setLocale, setTheme } from '@/app/actions'
import { SiteFrame } from '@/components/frame/site-frame'

export default function AuthLayout({ children }: { children: ReactNode }) {
  return (
    <SiteFrame actions={{ setLocale, setTheme }}>
      <div className="mx-auto max-w-md">{children}</div>
    </SiteFrame>
  )
}
