import type { ReactNode } from 'react'
import { type Tone, TONE_MARKS, TONE_STYLES } from './tones'

export type TimelineItem = { key: string; tone?: Tone; text: ReactNode; at?: ReactNode; detail?: ReactNode }

/** What happened, when, in sentences. `isRunning` marks the last item as not ended yet. */
export function Timeline({ items, isRunning = false }: { items: TimelineItem[]; isRunning?: boolean }) {
  return (
    <ol className="text-sm">
      {items.map((item, index) => {
        const isLast = index === items.length - 1
        return (
          <li key={item.key} className="relative flex gap-3 pb-5 last:pb-0">
            {!isLast && <span aria-hidden="true" className="absolute top-6 bottom-0 left-[11px] w-px bg-border" />}
            <span
              aria-hidden="true"
              className={`flex size-6 shrink-0 items-center justify-center rounded-full border text-xs font-semibold ${TONE_STYLES[item.tone ?? 'neutral']} ${isLast && isRunning ? 'animate-pulse' : ''}`}
            >
              {TONE_MARKS[item.tone ?? 'neutral']}
            </span>
            <div className="min-w-0 pt-0.5">
              <p>{item.text}</p>
              {item.at && <p className="text-xs text-muted">{item.at}</p>}
              {item.detail && <div className="mt-1 text-muted">{item.detail}</div>}
            </div>
          </li>
        )
      })}
    </ol>
  )
}
