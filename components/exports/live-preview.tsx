'use client'

import { useEffect, useRef, useState } from 'react'
import { CopyButton } from '@/components/ui/copy-button'
import type { ActionState, FormAction } from '@/lib/web'

const IDLE: ActionState = { status: 'idle', message: null, code: null, facts: {}, fieldErrors: {}, values: {} }
/** Between the last key and the question to the server. */
const PAUSE_MS = 300

/**
 * The first lines of what the form around it asks for, made by the server anew while it is changed. `copyFrom`: an address that gives the whole, with the
 * form's fields as its query. Without script it shows what the page came with.
 */
export function LivePreview({
  action,
  initial,
  texts,
  copyFrom,
}: {
  action: FormAction
  initial: { text: string; note: string }
  texts: { preview: string; empty: string; copy: string; copied: string }
  copyFrom?: string
}) {
  const place = useRef<HTMLDivElement>(null)
  const [shown, setShown] = useState({ ...initial, error: '' })
  useEffect(() => {
    const form = place.current?.closest('form')
    if (!form) return
    let timer: ReturnType<typeof setTimeout> | undefined
    let asked = 0
    const ask = async () => {
      const turn = ++asked
      // A question that got lost leaves what is shown; the next key asks again.
      const state = await action(IDLE, new FormData(form)).catch(() => null)
      if (!state || turn !== asked) return
      if (state.status === 'done') setShown({ text: state.facts.text ?? '', note: state.facts.note ?? '', error: '' })
      else setShown((old) => ({ ...old, error: state.fieldErrors.text ?? state.message ?? '' }))
    }
    const wait = () => {
      clearTimeout(timer)
      timer = setTimeout(ask, PAUSE_MS)
    }
    form.addEventListener('input', wait)
    return () => {
      clearTimeout(timer)
      form.removeEventListener('input', wait)
    }
  }, [action])
  return (
    <div ref={place} className="min-w-0">
      <div className="mb-1.5 flex flex-wrap items-center justify-between gap-2">
        <p className="text-sm font-medium">{texts.preview}</p>
        {copyFrom && (
          <CopyButton
            value={async () => {
              const fields = new FormData(place.current!.closest('form')!) as unknown as Iterable<[string, string]>
              const answer = await fetch(`${copyFrom}?${new URLSearchParams([...fields])}`)
              return answer.ok ? answer.text() : ''
            }}
            what={texts.copy}
            texts={texts}
            variant="secondary"
          />
        )}
      </div>
      <div aria-live="polite">
        {shown.error && <p className="mb-1.5 text-sm font-medium text-bad">{shown.error}</p>}
        {shown.text.trim() === '' ? (
          <p className="rounded-md border bg-sunken p-3 text-sm text-muted">{texts.empty}</p>
        ) : (
          <pre
            tabIndex={0}
            aria-label={texts.preview}
            className={`max-h-80 overflow-auto rounded-md border bg-sunken p-3 font-mono text-xs ${shown.error ? 'text-muted' : ''}`}
          >
            {shown.text}
          </pre>
        )}
        <p className="mt-1.5 text-sm whitespace-pre-line text-muted">{shown.note}</p>
      </div>
    </div>
  )
}
