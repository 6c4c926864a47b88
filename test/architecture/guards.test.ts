import { expect, test } from 'vitest'
import { readSources, type Source, withoutComments } from './sources'

/** Route groups, and what the first line of each of their pages is. */
const FIRST_LINE: Record<string, RegExp | undefined> = {
  '(public)': undefined,
  '(auth)': undefined,
  '(account)': /^(const [^=]+ = )?await requireUser\(/,
  '(admin)': /^(const [^=]+ = )?await requireAdmin\(\s*'/,
}
const ACTION_MAKERS = ['publicAction', 'userAction', 'adminAction']
const ROUTE_MAKERS = ['publicRoute', 'userRoute', 'adminRoute', 'webhookRoute']
const METHODS = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'])
/** next-auth brings its own handler; it checks its own requests. */
const OWN_HANDLER = 'app/api/auth/[...nextauth]/route.ts'

function groupOf(file: string): string | undefined {
  return /^app\/(\([a-z]+\))\//.exec(file)?.[1]
}

/** The first statement of the default exported function, or null when there is no such function. */
function firstStatement(text: string): string | null {
  const start = /export default async function \w*\s*(?:<[^(]*>)?\(/.exec(text)
  if (!start) return null
  let index = start.index + start[0].length
  for (let depth = 1; depth > 0 && index < text.length; index += 1) {
    if ('([{'.includes(text[index]!)) depth += 1
    if (')]}'.includes(text[index]!)) depth -= 1
  }
  const body = /^[^{]*(?:Promise<[^>]*>\s*)?\{\s*([\s\S]*)/.exec(text.slice(index))
  return body?.[1] ?? null
}

function findUnguardedPage({ file, text }: Source): string[] {
  if (!/^app\/.*page\.tsx$/.test(file)) return []
  const group = groupOf(file)
  if (group === undefined || !(group in FIRST_LINE)) return [`${file} lies in no group that says who may see it`]
  const wanted = FIRST_LINE[group]
  if (!wanted) return []
  const first = firstStatement(withoutComments(text))
  return first !== null && wanted.test(first) ? [] : [`${file} does not begin with its guard`]
}

function findUnguardedActions(source: Source): string[] {
  const text = withoutComments(source.text)
  if (!/['"]use server['"]/.test(text) || !/^(app|components|lib)\//.test(source.file)) return []
  if (!/^\s*['"]use server['"]/.test(text)) return [`${source.file} hides an action inside a function`]
  const group = groupOf(source.file)
  const makers =
    group === '(admin)' ? ['adminAction'] : group === '(account)' ? ['userAction', 'adminAction'] : ACTION_MAKERS
  return findWrongExports(source.file, text, makers)
}

function findUnguardedRoute({ file, text }: Source): string[] {
  if (!/^app\/.*route\.ts$/.test(file) || file === OWN_HANDLER) return []
  const makers = file.startsWith('app/api/webhooks/') ? ['webhookRoute'] : ROUTE_MAKERS
  return findWrongExports(file, withoutComments(text), makers)
}

/** Exports that run and were not made by one of the makers. Types and Next's own constants are no handlers. */
function findWrongExports(file: string, text: string, makers: string[]): string[] {
  const wrong: string[] = []
  for (const [line] of text.matchAll(/^export .*$/gm)) {
    if (/^export (type|interface) /.test(line)) continue
    if (/^export const (dynamic|runtime|maxDuration|revalidate|fetchCache)\b/.test(line)) continue
    const made = /^export const (\w+)(?:: \w+)? =\s*(\w+)?/.exec(line)
    const start = text.indexOf(line)
    const maker = made?.[2] ?? /^\s*(\w+)/.exec(text.slice(start + line.length))?.[1]
    const isHandler = !file.endsWith('route.ts') || METHODS.has(made?.[1] ?? '')
    if (!made || !isHandler || !maker || !makers.includes(maker)) wrong.push(`${file}: ${line.trim()}`)
  }
  return wrong
}

test('every page of the account and of the admin begins with its guard', () => {
  expect(readSources().flatMap(findUnguardedPage)).toEqual([])
})

test('every server action is made by a wrapper of lib/web', () => {
  expect(readSources().flatMap(findUnguardedActions)).toEqual([])
})

test('every route handler is made by a wrapper of lib/web', () => {
  expect(readSources().flatMap(findUnguardedRoute)).toEqual([])
})

test('this check bites', () => {
  const page = 'export default async function Page({ params }: { params: Promise<{ id: string }> }) {'
  const pages = (file: string, text: string) => findUnguardedPage({ file, text }).length
  expect(pages('app/(account)/x/page.tsx', `${page}\n  const { user } = await requireUser()\n}`)).toBe(0)
  expect(
    pages('app/(account)/x/page.tsx', `${page}\n  // await requireUser()\n  const id = (await params).id\n}`),
  ).toBe(1)
  expect(pages('app/(account)/x/page.tsx', `${page}\n  const x = await load()\n  await requireUser()\n}`)).toBe(1)
  expect(pages('app/(account)/x/page.tsx', 'export default function Page() {\n  return null\n}')).toBe(1)
  expect(pages('app/(admin)/admin/page.tsx', `${page}\n  await requireUser()\n}`)).toBe(1)
  expect(pages('app/(admin)/admin/page.tsx', `${page}\n  const staff = await requireAdmin('orders.read')\n}`)).toBe(0)
  expect(pages('app/secret/page.tsx', page)).toBe(1)
  const actions = (file: string, text: string) => findUnguardedActions({ file, text: `'use server'\n${text}` }).length
  expect(actions('app/(account)/actions.ts', 'export const a = userAction(schema, work)')).toBe(0)
  expect(actions('app/(account)/actions.ts', 'export const a =\n  userAction(schema, work)')).toBe(0)
  expect(actions('app/(account)/actions.ts', 'export const a = publicAction(schema, work)')).toBe(1)
  expect(actions('app/(admin)/actions.ts', 'export const a = userAction(schema, work)')).toBe(1)
  expect(actions('app/(account)/actions.ts', 'export async function a() {}')).toBe(1)
  expect(actions('app/(account)/actions.ts', 'async function a() {}\nexport { a }')).toBe(1)
  const hidden = "export async function f() {\n  'use server'\n}"
  expect(findUnguardedActions({ file: 'components/x.tsx', text: hidden })).toHaveLength(1)
  const routes = (file: string, text: string) => findUnguardedRoute({ file, text }).length
  expect(
    routes('app/api/x/route.ts', "export const dynamic = 'force-dynamic'\nexport const GET = publicRoute(work)"),
  ).toBe(0)
  expect(routes('app/api/x/route.ts', 'export async function GET() {}')).toBe(1)
  expect(routes('app/api/webhooks/[provider]/route.ts', 'export const POST = publicRoute(work)')).toBe(1)
})
