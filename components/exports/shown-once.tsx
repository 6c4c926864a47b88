'use client'

import { useFormAnswer } from '@/components/ui/action-form'
import { CopyButton } from '@/components/ui/copy-button'

/** An address that the form's action has just made, to copy. Inside an ActionForm; after a reload it is gone. */
export function ShownOnce({
  texts,
}: {
  texts: { made: string; address: string; copyAddress: string; copy: string; copied: string }
}) {
  const { state } = useFormAnswer()
  const url = state.facts.url
  if (state.status !== 'done' || !url) return null
  return (
    <div role="status" className="rounded-md border border-warning-border bg-warning-soft p-3 text-sm">
      <p className="font-medium">{texts.made}</p>
      <div className="mt-2 flex flex-wrap items-center gap-2">
        <code aria-label={texts.address} className="min-w-0 flex-1 basis-60 font-mono text-[0.9em] break-all">
          {url}
        </code>
        <CopyButton value={url} what={texts.copyAddress} texts={texts} variant="secondary" />
      </div>
    </div>
  )
}
