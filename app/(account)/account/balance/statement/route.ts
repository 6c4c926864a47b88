import { fileResponse, textStream } from '@/components/papers/file-response'
import { refused } from '@/lib/kit'
import { drawStatement, openStatement, statementCsv } from '@/lib/papers'
import { userRoute } from '@/lib/web'

/** One's own movements from one day to another, `?from=2026-03-01&to=2026-03-31&format=csv` or `pdf`, in the customer's language. */
export const GET = userRoute(async ({ request, user }) => {
  const asked = new URL(request.url).searchParams
  const format = asked.get('format') ?? 'csv'
  if (format !== 'csv' && format !== 'pdf') return refused('not_found')
  const opened = await openStatement({ userId: user.id, from: asked.get('from') ?? '', to: asked.get('to') ?? '' })
  if (!opened.ok) return opened
  const { from, to } = opened.value
  const file = { name: `statement-${from}-${to}`, type: format } as const
  if (format === 'csv') return fileResponse(textStream(statementCsv(opened.value, user.locale)), file)
  const drawn = await drawStatement(opened.value, { locale: user.locale, holder: user.username, madeAt: new Date() })
  return drawn.ok ? fileResponse(drawn.value, file) : drawn
})
