'use client'

import { buttonStyles } from '@/components/ui/button-styles'
import { useFormAnswer } from '@/components/ui/action-form'

/** The link that the form's action has just made: to open here, or to take to a phone. Inside an ActionForm; after a reload it is gone. */
export function MadeLink({ texts }: { texts: { open: string; address: string } }) {
  const { state } = useFormAnswer()
  const { url } = state.facts
  if (state.status !== 'done' || !url) return null
  return (
    <div className="flex flex-col items-start gap-2">
      <a href={url} target="_blank" rel="noreferrer" className={buttonStyles()}>
        {texts.open}
      </a>
      <code aria-label={texts.address} className="font-mono text-[0.9em] break-all">
        {url}
      </code>
    </div>
  )
}
