import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { Button, ButtonLink } from '@/components/ui/button'
import { CountBadge } from '@/components/ui/status'
import { env } from '@/lib/env'
import { isAllowed, type Permission, type SessionUser } from '@/lib/identity'
import type { FormAction } from '@/lib/web'
import { Brand } from './brand'
import { NavLink } from './nav-link'
import { type PreferenceActions, PreferenceSwitches } from './preference-switches'
import { DemoNote, SkipLink } from './site-frame'

/** How many wait for a person, by the place where they are decided. */
export type QueueCounts = { payments: number; jobs: number; suppliers: number; referrals: number }

type Place = {
  href: string
  text:
    | 'overview'
    | 'payments'
    | 'orders'
    | 'jobs'
    | 'customers'
    | 'mail'
    | 'campaigns'
    | 'adminCatalogue'
    | 'stock'
    | 'suppliers'
    | 'promotions'
    | 'referrals'
    | 'announcements'
    | 'settings'
  /** Any one of these opens it. */
  permissions?: readonly Permission[]
  queue?: keyof QueueCounts
}

/** Queues first: what waits for a person comes before what can be looked up. */
const PLACES: Place[] = [
  { href: '/admin', text: 'overview' },
  { href: '/admin/payments', text: 'payments', permissions: ['payments.read'], queue: 'payments' },
  { href: '/admin/orders', text: 'orders', permissions: ['orders.read'] },
  { href: '/admin/jobs', text: 'jobs', permissions: ['jobs.retry'], queue: 'jobs' },
  { href: '/admin/customers', text: 'customers', permissions: ['customers.read'] },
  { href: '/admin/mail', text: 'mail', permissions: ['mail.read'] },
  { href: '/admin/campaigns', text: 'campaigns', permissions: ['marketing.write'] },
  { href: '/admin/catalogue', text: 'adminCatalogue', permissions: ['catalog.write'] },
  { href: '/admin/stock', text: 'stock', permissions: ['stock.import'] },
  { href: '/admin/suppliers', text: 'suppliers', permissions: ['suppliers.write'], queue: 'suppliers' },
  { href: '/admin/referrals', text: 'referrals', permissions: ['referrals.read'], queue: 'referrals' },
  { href: '/admin/promotions', text: 'promotions', permissions: ['promotions.write'] },
  { href: '/admin/announcements', text: 'announcements', permissions: ['announcements.write'] },
  { href: '/admin/settings', text: 'settings', permissions: ['payments.providers', 'settings.write'] },
]

/** The frame of the admin, in a colour of its own so that nobody forgets where they are. Shows only the places this role may enter. */
export async function AdminFrame({
  user,
  counts,
  actions,
  children,
}: {
  user: SessionUser
  counts: QueueCounts
  actions: PreferenceActions & { signOut: FormAction }
  children: ReactNode
}) {
  const say = await getTranslations('frame')
  const shop = env().SHOP_NAME
  const places = PLACES.filter(
    ({ permissions }) => !permissions || permissions.some((permission) => isAllowed(user.role, permission)),
  )
  return (
    <div className="min-h-dvh text-sm">
      <SkipLink text={say('skip')} />
      {env().SLUICE_MODE === 'demo' && <DemoNote text={say('demo')} />}
      <header className="sticky top-0 z-20 border-b border-admin-border bg-admin-soft">
        <div className="flex flex-wrap items-center gap-x-4 gap-y-1 px-4 py-2">
          <Brand name={shop} label={say('home', { shop })} />
          <span className="rounded-md border border-admin-border px-2 py-0.5 text-xs font-semibold text-admin">
            {say('admin')}
          </span>
          <div className="ml-auto flex items-center gap-1">
            <span className="max-w-40 truncate text-xs text-muted max-sm:hidden" title={user.email}>
              {user.username}
            </span>
            <ButtonLink href="/account" variant="quiet" size="sm">
              {say('account')}
            </ButtonLink>
            <form action={actions.signOut}>
              <Button type="submit" variant="quiet" size="sm">
                {say('signOut')}
              </Button>
            </form>
          </div>
        </div>
        <nav aria-label={say('adminNavigation')} className="overflow-x-auto px-2">
          <ul className="flex gap-1">
            {places.map(({ href, text, queue }) => {
              const count = queue ? counts[queue] : undefined
              return (
                <li key={href}>
                  <NavLink
                    href={href}
                    exact={href === '/admin'}
                    className="flex min-h-9 items-center gap-2 border-b-2 border-transparent px-3 font-medium whitespace-nowrap text-muted hover:text-text aria-[current=page]:border-admin aria-[current=page]:text-admin"
                  >
                    {say(text)}
                    {count ? <CountBadge count={count} label={say('waiting', { count })} /> : null}
                  </NavLink>
                </li>
              )
            })}
          </ul>
        </nav>
      </header>
      <main id="content" tabIndex={-1} className="mx-auto w-full max-w-7xl px-4 py-6 outline-none sm:px-8">
        {children}
      </main>
      <footer className="mx-auto max-w-7xl px-4 py-6 sm:px-8">
        <PreferenceSwitches setLocale={actions.setLocale} setTheme={actions.setTheme} />
      </footer>
    </div>
  )
}
