import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { isAllowed, type Permission, type SessionUser } from '@/lib/identity'

const TABS = [
  { href: '/admin/mail', text: 'tabLog', permission: 'mail.read' },
  { href: '/admin/mail/stopped', text: 'tabStopped', permission: 'mail.read' },
  { href: '/admin/mail/previews', text: 'tabPreviews', permission: 'mail.read' },
  { href: '/admin/settings/mail', text: 'tabSettings', permission: 'settings.write' },
] as const satisfies { href: string; text: string; permission: Permission }[]

/** The parts of mail, each shown to whoever may enter it. */
export async function MailTabs({ user, current }: { user: SessionUser; current: (typeof TABS)[number]['href'] }) {
  const say = await getTranslations('mail')
  return (
    <nav aria-label={say('tabs')} className="mb-6">
      <ul className="flex flex-wrap gap-x-4 gap-y-1 text-sm">
        {TABS.filter(({ permission }) => isAllowed(user.role, permission)).map(({ href, text }) => (
          <li key={href}>
            <Link
              href={href}
              aria-current={href === current ? 'page' : undefined}
              className="inline-flex min-h-9 items-center text-accent underline aria-[current=page]:font-semibold aria-[current=page]:text-text aria-[current=page]:no-underline"
            >
              {say(text)}
            </Link>
          </li>
        ))}
      </ul>
    </nav>
  )
}
