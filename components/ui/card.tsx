import type { ReactNode } from 'react'

/** A bordered part of a page with its own heading. */
export function Card({
  title,
  lead,
  action,
  children,
  className = '',
  id,
}: {
  title?: ReactNode
  lead?: ReactNode
  action?: ReactNode
  children?: ReactNode
  className?: string
  id?: string
}) {
  return (
    <section id={id} className={`rounded-md border bg-surface p-4 sm:p-6 ${className}`}>
      {(title || action) && (
        <div className="mb-4 flex flex-wrap items-start justify-between gap-3">
          <div>
            {title && <h2 className="text-base font-semibold">{title}</h2>}
            {lead && <p className="mt-1 text-sm text-muted">{lead}</p>}
          </div>
          {action}
        </div>
      )}
      {children}
    </section>
  )
}
