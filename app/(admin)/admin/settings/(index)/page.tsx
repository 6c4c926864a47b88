import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { PageHeader } from '@/components/ui/page-header'
import { isAllowed, type Permission } from '@/lib/identity'
import { requireAdmin } from '@/lib/web'

export async function generateMetadata(): Promise<Metadata> {
  return { title: (await getTranslations('adminSettings'))('title') }
}

const PARTS = [
  { href: '/admin/settings/payments', text: 'payments', permission: 'payments.providers' },
  { href: '/admin/settings/rules', text: 'rules', permission: 'settings.write' },
  { href: '/admin/settings/papers', text: 'papers', permission: 'settings.write' },
  { href: '/admin/settings/mail', text: 'mail', permission: 'settings.write' },
  { href: '/admin/settings/marketing', text: 'marketing', permission: 'settings.write' },
  { href: '/admin/settings/telegram', text: 'telegram', permission: 'settings.write' },
] as const satisfies { href: string; text: string; permission: Permission }[]

/** What can be decided here, each part behind its own permission. Whoever may none of them sees no such page. */
export default async function SettingsPage() {
  const user = await requireAdmin('payments.providers', 'settings.write')
  const parts = PARTS.filter(({ permission }) => isAllowed(user.role, permission))
  const say = await getTranslations('adminSettings')
  return (
    <>
      <PageHeader title={say('title')} lead={say('lead')} />
      <ul className="grid gap-4 md:grid-cols-2 xl:grid-cols-3">
        {parts.map(({ href, text }) => (
          <li key={href} className="rounded-md border bg-surface p-4 sm:p-6">
            <Link href={href} className="font-semibold text-accent underline">
              {say(`${text}Title`)}
            </Link>
            <p className="mt-1 text-sm text-muted">{say(`${text}Lead`)}</p>
          </li>
        ))}
      </ul>
    </>
  )
}
