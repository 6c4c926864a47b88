/** The shape of what is coming. */
export function Skeleton({ className = '' }: { className?: string }) {
  return <div aria-hidden="true" className={`animate-pulse rounded-md bg-sunken ${className}`} />
}

/** A page with a heading and a list, loading. `label` tells a screen reader. */
export function PageSkeleton({ label, rows = 6 }: { label: string; rows?: number }) {
  return (
    <div role="status" aria-label={label}>
      <Skeleton className="mb-2 h-9 w-56 max-w-full" />
      <Skeleton className="mb-6 h-5 w-80 max-w-full" />
      <div className="rounded-md border bg-surface p-4">
        {Array.from({ length: rows }, (_, row) => (
          <Skeleton key={row} className="my-2 h-8" />
        ))}
      </div>
    </div>
  )
}
