'use client'

import Link from 'next/link'
import { usePathname } from 'next/navigation'
import type { ReactNode } from 'react'

/** A link of a menu that knows whether it is where we are. `exact` for the page above all others. */
export function NavLink({
  href,
  exact = false,
  className,
  children,
}: {
  href: string
  exact?: boolean
  className?: string
  children: ReactNode
}) {
  const path = usePathname()
  const isCurrent = path === href || (!exact && path.startsWith(`${href}/`))
  return (
    <Link href={href} aria-current={isCurrent ? 'page' : undefined} className={className}>
      {children}
    </Link>
  )
}
