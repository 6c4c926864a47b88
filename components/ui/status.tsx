import type { ReactNode } from 'react'
import { type Tone, TONE_MARKS, TONE_STYLES } from './tones'

/** A state in a word, with its mark: "✓ Active". */
export function Status({ tone = 'neutral', children }: { tone?: Tone; children: ReactNode }) {
  return (
    <span
      className={`inline-flex items-center gap-1.5 rounded-full border px-2 py-0.5 text-xs font-medium tracking-normal whitespace-nowrap ${TONE_STYLES[tone]}`}
    >
      <span aria-hidden="true">{TONE_MARKS[tone]}</span>
      {children}
    </span>
  )
}

/** A number beside a word: how many wait. */
export function CountBadge({ count, label }: { count: number; label?: string }) {
  return (
    <span
      aria-label={label}
      className="inline-flex min-w-5 justify-center rounded-full border border-warning-border bg-warning-soft px-1.5 text-xs font-medium text-warning tabular-nums"
    >
      {count}
    </span>
  )
}
