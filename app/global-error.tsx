'use client'

import { PageError } from '@/components/frame/page-error'
import './globals.css'

/** When even the root layout broke. It brings its own page; the language is the browser's, since nothing else is known. */
export default function GlobalError(props: { error: Error & { digest?: string }; reset: () => void }) {
  const lang = typeof navigator !== 'undefined' && navigator.language.startsWith('ru') ? 'ru' : 'en'
  return (
    <html lang={lang}>
      <body className="font-sans">
        <main className="mx-auto max-w-2xl px-4 py-24">
          <PageError {...props} />
        </main>
      </body>
    </html>
  )
}
