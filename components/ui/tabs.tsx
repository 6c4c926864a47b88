import Link from 'next/link'

/** Views of one thing, as links: the chosen one is in the address, so it can be shared and Back works. */
export function Tabs({ label, tabs }: { label: string; tabs: { href: string; text: string; isCurrent: boolean }[] }) {
  return (
    <nav aria-label={label} className="mb-4 flex gap-1 overflow-x-auto border-b">
      {tabs.map((tab) => (
        <Link
          key={tab.href}
          href={tab.href}
          aria-current={tab.isCurrent ? 'page' : undefined}
          className="-mb-px border-b-2 border-transparent px-3 py-2 text-sm font-medium whitespace-nowrap text-muted hover:text-text aria-[current=page]:border-accent aria-[current=page]:text-text"
        >
          {tab.text}
        </Link>
      ))}
    </nav>
  )
}
