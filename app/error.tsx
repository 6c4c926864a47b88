'use client'

import { PageError } from '@/components/frame/page-error'

export default function RootError(props: { error: Error & { digest?: string }; reset: () => void }) {
  return (
    <main className="mx-auto max-w-2xl px-4 py-24">
      <PageError {...props} />
    </main>
  )
}
