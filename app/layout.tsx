import type { Metadata, Viewport } from 'next'
import { getLocale } from 'next-intl/server'
import type { ReactNode } from 'react'
import { RememberTimeZone } from '@/components/frame/remember-time-zone'
import { env } from '@/lib/env'
import { currentTheme, TIME_ZONE_COOKIE } from '@/lib/web'
import { cookies } from 'next/headers'
import { FONT_VARIABLES } from './fonts'
import './globals.css'

export async function generateMetadata(): Promise<Metadata> {
  const shop = env().SHOP_NAME
  return { metadataBase: new URL(env().PUBLIC_URL), title: { default: shop, template: `%s · ${shop}` } }
}

export const viewport: Viewport = {
  width: 'device-width',
  initialScale: 1,
  themeColor: [
    { media: '(prefers-color-scheme: light)', color: '#fafbfb' },
    { media: '(prefers-color-scheme: dark)', color: '#0d1214' },
  ],
}

export default async function RootLayout({ children }: { children: ReactNode }) {
  const [locale, theme, jar] = await Promise.all([getLocale(), currentTheme(), cookies()])
  return (
    <html lang={locale} data-theme={theme === 'system' ? undefined : theme} className={FONT_VARIABLES}>
      <body className="font-sans">
        {children}
        <RememberTimeZone cookie={TIME_ZONE_COOKIE} known={jar.get(TIME_ZONE_COOKIE)?.value ?? null} />
      </body>
    </html>
  )
}
