/** The four meanings, and none. Colour never stands alone: a mark or a word goes with it. */
export type Tone = 'good' | 'warning' | 'bad' | 'info' | 'neutral'

export const TONE_STYLES: Record<Tone, string> = {
  good: 'border-good-border bg-good-soft text-good',
  warning: 'border-warning-border bg-warning-soft text-warning',
  bad: 'border-bad-border bg-bad-soft text-bad',
  info: 'border-info-border bg-info-soft text-info',
  neutral: 'border-border bg-sunken text-muted',
}

/** Typed marks, not pictures: they take the text's colour and size and cost nothing to load. */
export const TONE_MARKS: Record<Tone, string> = { good: '✓', warning: '!', bad: '✕', info: 'i', neutral: '·' }
