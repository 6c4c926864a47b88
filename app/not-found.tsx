import { NotFound } from '@/components/frame/not-found'

export default function NotFoundPage() {
  return (
    <main id="content" className="mx-auto max-w-2xl px-4 py-24">
      <NotFound />
    </main>
  )
}
