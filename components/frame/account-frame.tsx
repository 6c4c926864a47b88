import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import type { ReactNode } from 'react'
import { Button, ButtonLink } from '@/components/ui/button'
import { Money } from '@/components/ui/money'
import { env } from '@/lib/env'
import { isStaff, type SessionUser } from '@/lib/identity'
import { UNREAD_SHOWN_MAX } from '@/lib/notices'
import type { FormAction } from '@/lib/web'
import { Brand } from './brand'
import { Icon, type IconName } from './icons'
import { NavLink } from './nav-link'
import { type PreferenceActions, PreferenceSwitches } from './preference-switches'
import { DemoNote, SkipLink } from './site-frame'

/**
 * The account's places, in the order people need them. On phones the first five are the bar at the bottom, which has no room for more; the others
 * stand at the foot of the page.
 */
const PLACES = [
  { href: '/account', text: 'overview', icon: 'overview', exact: true },
  { href: '/catalogue', text: 'buy', icon: 'cart', exact: false },
  { href: '/account/orders', text: 'orders', icon: 'list', exact: false },
  { href: '/account/proxies', text: 'proxies', icon: 'nodes', exact: false },
  { href: '/account/balance', text: 'balance', icon: 'coin', exact: false },
  { href: '/account/referrals', text: 'referrals', icon: 'share', exact: false },
  { href: '/account/settings', text: 'settings', icon: 'sliders', exact: false },
] as const satisfies readonly { href: string; text: string; icon: IconName; exact: boolean }[]

/** How many places the bar of phones shows. */
const IN_BAR = 5

/** The frame of account pages: the balance always in sight, the way to top it up beside it. */
export async function AccountFrame({
  user,
  balance,
  unread,
  actions,
  children,
}: {
  user: SessionUser
  balance: { balanceMicros: bigint; heldMicros: bigint; currency: string }
  /** Notices nobody has read, as far as they were counted. */
  unread: number
  actions: PreferenceActions & { signOut: FormAction }
  children: ReactNode
}) {
  const say = await getTranslations('frame')
  const shop = env().SHOP_NAME
  return (
    <div className="min-h-dvh text-sm">
      <SkipLink text={say('skip')} />
      {env().SLUICE_MODE === 'demo' && <DemoNote text={say('demo')} />}
      <header className="sticky top-0 z-20 border-b bg-surface">
        <div className="mx-auto flex min-h-14 max-w-7xl items-center gap-3 px-4 py-2">
          {/* A long balance, the way to top it up and the bell need the room. */}
          <Brand name={shop} label={say('home', { shop })} isShort />
          <div className="ml-auto flex items-center gap-3">
            <p className="text-right leading-tight">
              <span className="sr-only">{say('balance')}: </span>
              <Money micros={balance.balanceMicros} currency={balance.currency} className="font-semibold" />
              {balance.heldMicros > 0n && (
                <span className="block text-xs text-muted max-sm:hidden">
                  {say.rich('held', {
                    amount: () => <Money micros={balance.heldMicros} currency={balance.currency} />,
                  })}
                </span>
              )}
            </p>
            <ButtonLink href="/account/top-up" size="sm">
              {say('topUp')}
            </ButtonLink>
            <Bell unread={unread} />
          </div>
        </div>
      </header>
      <div className="mx-auto flex max-w-7xl">
        <aside
          aria-label={say('accountNavigation')}
          className="sticky top-14 hidden h-[calc(100dvh-3.5rem)] w-56 shrink-0 flex-col justify-between border-r p-3 lg:flex"
        >
          <nav aria-label={say('accountNavigation')}>
            <ul className="flex flex-col gap-0.5">
              {PLACES.map(({ href, text, icon, exact }) => (
                <li key={href}>
                  <NavLink
                    href={href}
                    exact={exact}
                    className="flex min-h-9 items-center gap-3 rounded-md px-3 font-medium text-muted hover:bg-sunken hover:text-text aria-[current=page]:bg-accent-soft aria-[current=page]:text-accent"
                  >
                    <Icon name={icon} className="size-4" />
                    {say(text)}
                  </NavLink>
                </li>
              ))}
            </ul>
          </nav>
          <AccountFoot user={user} signOut={actions.signOut} />
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">
          <main id="content" tabIndex={-1} className="w-full flex-1 px-4 py-6 outline-none sm:px-8">
            {children}
          </main>
          <footer className="flex flex-wrap items-center justify-between gap-4 border-t px-4 py-4 max-lg:pb-24 sm:px-8">
            <PreferenceSwitches setLocale={actions.setLocale} setTheme={actions.setTheme} />
            <div className="lg:hidden">
              <AccountFoot user={user} signOut={actions.signOut} />
            </div>
          </footer>
        </div>
      </div>
      <nav
        aria-label={say('accountNavigation')}
        className="fixed inset-x-0 bottom-0 z-20 border-t bg-surface pb-[env(safe-area-inset-bottom)] lg:hidden"
      >
        <ul className="grid grid-cols-5">
          {PLACES.slice(0, IN_BAR).map(({ href, text, icon, exact }) => (
            <li key={href}>
              <NavLink
                href={href}
                exact={exact}
                className="flex min-h-14 flex-col items-center justify-center gap-1 text-xs text-muted aria-[current=page]:font-medium aria-[current=page]:text-accent"
              >
                <Icon name={icon} className="size-5" />
                {say(text)}
              </NavLink>
            </li>
          ))}
        </ul>
      </nav>
    </div>
  )
}

/** The way to the notices, with how many are new. A link and no more: it costs no script. */
async function Bell({ unread }: { unread: number }) {
  const say = await getTranslations('notices')
  const isMany = unread > UNREAD_SHOWN_MAX
  const label = isMany
    ? say('bellMany', { count: UNREAD_SHOWN_MAX })
    : unread > 0
      ? say('bellUnread', { count: unread })
      : say('bell')
  return (
    <Link
      href="/account/notices"
      aria-label={label}
      title={label}
      className="relative grid size-9 shrink-0 place-items-center rounded-md text-muted hover:bg-sunken hover:text-text"
    >
      <Icon name="bell" className="size-5" />
      {unread > 0 && (
        <span
          aria-hidden="true"
          className="absolute -top-1 -right-1 min-w-5 rounded-full bg-accent px-1 text-center text-xs leading-5 font-semibold text-on-accent tabular-nums"
        >
          {isMany ? `${UNREAD_SHOWN_MAX}+` : unread}
        </span>
      )}
    </Link>
  )
}

async function AccountFoot({ user, signOut }: { user: SessionUser; signOut: FormAction }) {
  const say = await getTranslations('frame')
  return (
    <div className="flex min-w-0 flex-wrap items-center gap-2 lg:flex-col lg:items-stretch lg:gap-1 lg:border-t lg:pt-3">
      <p className="min-w-0 truncate px-3 text-xs text-muted" title={user.email}>
        {user.username}
      </p>
      {PLACES.slice(IN_BAR).map(({ href, text }) => (
        <ButtonLink key={href} href={href} variant="quiet" size="sm" className="lg:hidden">
          {say(text)}
        </ButtonLink>
      ))}
      {isStaff(user.role) && (
        <ButtonLink href="/admin" variant="quiet" size="sm" className="lg:justify-start">
          {say('admin')}
        </ButtonLink>
      )}
      <form action={signOut}>
        <Button type="submit" variant="quiet" size="sm" className="lg:w-full lg:justify-start">
          {say('signOut')}
        </Button>
      </form>
    </div>
  )
}
