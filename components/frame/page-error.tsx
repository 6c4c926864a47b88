'use client'

import { buttonStyles } from '@/components/ui/button-styles'
import en from '@/messages/en/states.json'
import ru from '@/messages/ru/states.json'

/**
 * A page that broke. It is drawn in the browser, where texts are not at hand, so the few it needs come along in both languages. The reference is
 * Next's digest, which the log has too (instrumentation.ts).
 */
export function PageError({ error, reset }: { error: Error & { digest?: string }; reset: () => void }) {
  const say = typeof document !== 'undefined' && document.documentElement.lang === 'ru' ? ru : en
  return (
    <div role="alert" className="max-w-2xl">
      <h1 className="text-xl font-semibold">{say.errorTitle}</h1>
      <p className="mt-2 text-muted">{say.errorText.replace('{reference}', error.digest ?? '–')}</p>
      <button type="button" onClick={reset} className={buttonStyles({ variant: 'secondary', className: 'mt-6' })}>
        {say.errorAction}
      </button>
    </div>
  )
}
