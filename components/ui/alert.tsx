import type { ReactNode } from 'react'
import { type Tone, TONE_MARKS, TONE_STYLES } from './tones'

/** One message with its meaning: colour, mark and words together. */
export function Alert({
  tone = 'info',
  title,
  children,
  className = '',
}: {
  tone?: Tone
  title?: ReactNode
  children?: ReactNode
  className?: string
}) {
  return (
    <div className={`flex gap-3 rounded-md border p-3 text-sm ${TONE_STYLES[tone]} ${className}`}>
      <span aria-hidden="true" className="font-semibold">
        {TONE_MARKS[tone]}
      </span>
      <div className="min-w-0 text-text">
        {title && <p className="font-semibold">{title}</p>}
        {children}
      </div>
    </div>
  )
}
