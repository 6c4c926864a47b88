import { fileResponse, textStream } from '@/components/papers/file-response'
import { type Refusal, refused, type Result } from '@/lib/kit'
import { drawStatement, openStatement, statementCsv } from '@/lib/papers'
import { userRoute } from '@/lib/web'

type Asked = { from: string; to: string; format: string }

/**
 * One's own movements from one day to another, `?from=2026-03-01&to=2026-03-31&format=csv` or `pdf`, in the customer's language. A person whose
 * browser asked is led back to the form, which says what cannot be; a program gets the refusal.
 */
export const GET = userRoute(async ({ request, user }) => {
  const query = new URL(request.url).searchParams
  const asked = { from: query.get('from') ?? '', to: query.get('to') ?? '', format: query.get('format') ?? 'csv' }
  const answer = await makeStatement(user, asked)
  if (answer.ok) return answer.value
  if (answer.refusal.code === 'not_found' || !request.headers.get('accept')?.includes('text/html')) return answer
  const back = new URLSearchParams({ ...asked, refused: answer.refusal.code })
  return new Response(null, { status: 303, headers: { Location: `/account/balance?${back}#statement` } })
})

async function makeStatement(
  user: { id: string; username: string; locale: string },
  { from, to, format }: Asked,
): Promise<Result<Response, Refusal<'not_found' | 'span_invalid' | 'span_too_long' | 'too_many_lines'>>> {
  if (format !== 'csv' && format !== 'pdf') return refused('not_found')
  const opened = await openStatement({ userId: user.id, from, to })
  if (!opened.ok) return opened
  const file = { name: `statement-${from}-${to}`, type: format } as const
  if (format === 'csv')
    return { ok: true, value: fileResponse(textStream(statementCsv(opened.value, user.locale)), file) }
  const drawn = await drawStatement(opened.value, { locale: user.locale, holder: user.username, madeAt: new Date() })
  return drawn.ok ? { ok: true, value: fileResponse(drawn.value, file) } : drawn
}
