import Link from 'next/link'

/** The shop's name, as the way home. The mark is a sluice gate: two posts and a raised board. `isShort`: on phones the mark alone. */
export function Brand({
  name,
  label,
  href = '/',
  isShort = false,
}: {
  name: string
  label: string
  href?: string
  isShort?: boolean
}) {
  return (
    <Link
      href={href}
      aria-label={label}
      className="flex items-center gap-2 rounded-md text-base font-semibold tracking-tight"
    >
      <svg
        viewBox="0 0 24 24"
        aria-hidden="true"
        className="size-6 text-accent"
        fill="none"
        stroke="currentColor"
        strokeWidth="2.25"
      >
        <path d="M4 3v18M20 3v18M4 6h16M8 6v7h8V6M7 18c1.7-1.3 3.3-1.3 5 0s3.3 1.3 5 0" strokeLinecap="round" />
      </svg>
      <span className={isShort ? 'max-sm:hidden' : undefined}>{name}</span>
    </Link>
  )
}
