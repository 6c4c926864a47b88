import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { ButtonLink } from '@/components/ui/button'
import { env } from '@/lib/env'
import { isStaff } from '@/lib/identity'
import { currentUser } from '@/lib/web'
import { Brand } from './brand'
import { NavLink } from './nav-link'
import { type PreferenceActions, PreferenceSwitches } from './preference-switches'

export const LEGAL_DOCUMENTS = ['privacy', 'terms', 'acceptable-use', 'refunds', 'cookies'] as const

/** The frame of public pages: a slim header, the page, the footer. */
export async function SiteFrame({ children, actions }: { children: ReactNode; actions: PreferenceActions }) {
  const [say, user] = await Promise.all([getTranslations('frame'), currentUser()])
  const shop = env().SHOP_NAME
  return (
    <div className="flex min-h-dvh flex-col">
      <SkipLink text={say('skip')} />
      {env().SLUICE_MODE === 'demo' && <DemoNote text={say('demo')} />}
      <header className="border-b bg-surface">
        <nav
          aria-label={say('mainNavigation')}
          className="mx-auto flex min-h-14 max-w-6xl flex-wrap items-center gap-x-2 gap-y-1 px-4 py-2 sm:gap-x-4"
        >
          <Brand name={shop} label={say('home', { shop })} />
          <NavLink
            href="/catalogue"
            className="rounded-md px-2 py-1.5 text-sm font-medium text-muted hover:text-text aria-[current=page]:text-text"
          >
            {say('catalogue')}
          </NavLink>
          <div className="ml-auto flex items-center gap-2">
            {user ? (
              <>
                {isStaff(user.role) && (
                  <ButtonLink href="/admin" variant="quiet" size="sm">
                    {say('admin')}
                  </ButtonLink>
                )}
                <ButtonLink href="/account" variant="secondary" size="sm">
                  {say('account')}
                </ButtonLink>
              </>
            ) : (
              <>
                <ButtonLink href="/sign-in" variant="quiet" size="sm">
                  {say('signIn')}
                </ButtonLink>
                <ButtonLink href="/sign-up" size="sm" className="max-[400px]:hidden">
                  {say('signUp')}
                </ButtonLink>
              </>
            )}
          </div>
        </nav>
      </header>
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-6xl flex-1 px-4 py-8 outline-none sm:py-12">
        {children}
      </main>
      <footer className="border-t bg-surface">
        <div className="mx-auto flex max-w-6xl flex-wrap items-center justify-between gap-x-8 gap-y-4 px-4 py-6">
          <nav aria-label={say('legalNavigation')}>
            <ul className="flex flex-wrap gap-x-5 gap-y-1 text-sm">
              {LEGAL_DOCUMENTS.map((document) => (
                <li key={document}>
                  <Link
                    href={`/legal/${document}`}
                    prefetch={false}
                    className="inline-block py-1 text-muted hover:text-text hover:underline"
                  >
                    {say(document)}
                  </Link>
                </li>
              ))}
              <li>
                <Link
                  href="/announcements"
                  prefetch={false}
                  className="inline-block py-1 text-muted hover:text-text hover:underline"
                >
                  {say('announcements')}
                </Link>
              </li>
            </ul>
          </nav>
          <PreferenceSwitches {...actions} />
        </div>
      </footer>
    </div>
  )
}

/** The first thing the keyboard reaches: past the menus. */
export function SkipLink({ text }: { text: string }) {
  return (
    <a
      href="#content"
      className="sr-only z-50 rounded-md bg-accent px-4 py-2 text-on-accent focus:not-sr-only focus:fixed focus:top-2 focus:left-2"
    >
      {text}
    </a>
  )
}

/** So that nobody takes a demo for a shop. */
export function DemoNote({ text }: { text: string }) {
  return (
    <aside className="border-b border-info-border bg-info-soft px-4 py-1.5 text-center text-xs text-info">{text}</aside>
  )
}
