import type { ReactNode } from 'react'

/** The head of a page: it names the thing, says its state in a sentence, and offers the one primary action. */
export function PageHeader({
  title,
  lead,
  action,
  back,
}: {
  title: ReactNode
  lead?: ReactNode
  action?: ReactNode
  back?: ReactNode
}) {
  return (
    <header className="mb-6 flex flex-wrap items-end justify-between gap-4">
      <div className="min-w-0">
        {back && <div className="mb-1 text-sm">{back}</div>}
        <h1 className="text-xl font-semibold tracking-tight">{title}</h1>
        {lead && <p className="mt-1 max-w-2xl text-muted">{lead}</p>}
      </div>
      {action && <div className="flex flex-wrap gap-2">{action}</div>}
    </header>
  )
}
