import Link from 'next/link'
import { buttonStyles } from './button-styles'

/** Newer and older, as links: pages by cursor have no numbers. */
export function Pagination({
  label,
  newer,
  older,
}: {
  label: string
  newer?: { href: string; text: string }
  older?: { href: string; text: string }
}) {
  if (!newer && !older) return null
  return (
    <nav aria-label={label} className="mt-4 flex justify-between gap-2">
      {newer ? (
        <Link href={newer.href} className={buttonStyles({ variant: 'secondary', size: 'sm' })}>
          ← {newer.text}
        </Link>
      ) : (
        <span />
      )}
      {older && (
        <Link href={older.href} className={buttonStyles({ variant: 'secondary', size: 'sm' })}>
          {older.text} →
        </Link>
      )}
    </nav>
  )
}
