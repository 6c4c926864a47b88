import { expect, test } from 'vitest'
import { fileOf, importsOf, isTest, readSources, resolveImport, type Source } from './sources'

/** Which modules of lib each module may know; knowledge flows down. A module that is not named here may not exist. */
const BELOW = ['env', 'kit', 'log']
const STORE = [...BELOW, 'db']
const WORK = [...STORE, 'audit', 'jobs', 'notifications', 'settings']
const MAY_KNOW: Record<string, string[]> = {
  kit: [],
  env: ['kit'],
  log: ['env', 'kit'],
  db: BELOW,
  jobs: STORE,
  audit: STORE,
  notifications: [...STORE, 'audit', 'jobs', 'settings'],
  settings: [...STORE, 'audit'],
  notices: WORK,
  announcements: WORK,
  suppliers: ['kit'],
  ledger: STORE,
  throttle: STORE,
  identity: WORK,
  // an offer says to its supplier what that supplier's schema reads
  catalog: [...WORK, 'suppliers'],
  promotions: [...WORK, 'catalog', 'throttle'],
  payments: [...WORK, 'identity', 'ledger', 'promotions', 'throttle'],
  orders: [...WORK, 'notices', 'identity', 'catalog', 'ledger', 'promotions', 'throttle'],
  papers: [...WORK, 'identity', 'catalog', 'ledger', 'promotions', 'payments', 'orders'],
  provisioning: [...WORK, 'identity', 'catalog', 'ledger', 'suppliers', 'orders'],
  checks: [...WORK, 'identity', 'catalog', 'orders', 'provisioning'],
  remedies: [...WORK, 'identity', 'catalog', 'ledger', 'suppliers', 'orders', 'provisioning', 'checks'],
  holdings: [...WORK, 'identity', 'catalog', 'orders', 'provisioning', 'checks', 'remedies'],
  exports: [...WORK, 'catalog', 'ledger', 'orders', 'provisioning', 'holdings'],
  prices: [...WORK, 'identity', 'catalog', 'suppliers', 'orders', 'provisioning'],
  referrals: [...WORK, 'identity', 'ledger'],
  marketing: [...WORK, 'notices', 'identity', 'throttle'],
  admin: [
    ...WORK,
    'identity',
    'catalog',
    'ledger',
    'suppliers',
    'orders',
    'payments',
    'referrals',
    'provisioning',
    'remedies',
  ],
  web: [...BELOW, 'audit', 'identity'],
}

/** Files that may be entered past the index, because the browser loads them and the index would bring the database along. */
const BROWSER_DOORS = [
  /^lib\/kit\/money$/,
  /^lib\/\w+\/schemas$/,
  /^lib\/catalog\/(price|policy)$/,
  /^lib\/web\/action-state$/,
]

/** next-intl loads this file from within lib/web's own imports; the index would close a circle. */
const PAST_THE_DOOR: Record<string, string> = { 'i18n/request.ts': 'lib/web/preferences' }

/** Nobody imports these from below: they are where the program starts. */
const ENTRY_FOLDERS = new Set(['app', 'worker', 'gateway', 'scripts', 'prisma', 'test', 'e2e', 'fakes'])

function moduleOf(file: string): string | undefined {
  return /^lib\/([^/.]+)/.exec(file)?.[1]
}

/** Every import of a source that goes where it may not, in words. */
function findWrongImports(source: Source): string[] {
  if (isTest(source.file) || source.file === 'lib/suppliers/contract.ts') return []
  const own = moduleOf(source.file)
  const wrong: string[] = []
  for (const specifier of importsOf(source)) {
    const target = resolveImport(source.file, specifier)
    const say = (why: string) => wrong.push(`${source.file} → ${specifier}: ${why}`)
    if (target === undefined) {
      const isScreens = /^(app|components|emails)\/|^lib\/web\/|^proxy\.ts$|^next\.config\.ts$|^i18n\//.test(
        source.file,
      )
      if (/^(react|next)(\/|-|$)/.test(specifier) && !isScreens) say('Next and React live in the screens')
      continue
    }
    const targetModule = moduleOf(target)
    if (targetModule !== undefined && targetModule !== own) {
      const isDoor =
        /^lib\/[^/]+(\/index)?$/.test(target) ||
        BROWSER_DOORS.some((door) => door.test(target)) ||
        PAST_THE_DOOR[source.file] === target
      if (!isDoor) say('a module is entered through its index')
      if (own !== undefined && !(MAY_KNOW[own] ?? []).includes(targetModule)) say(`${own} may not know ${targetModule}`)
    }
    const targetFolder = target.split('/')[0]!
    if (source.file.startsWith('lib/') && ENTRY_FOLDERS.has(targetFolder)) say('entry points are imported by nobody')
    if (source.file.startsWith('lib/') && ['components', 'emails'].includes(targetFolder) && own !== 'web')
      say('screens and mails stand above the modules')
    if (/^(components|emails|i18n)\//.test(source.file) && targetFolder === 'app') say('pages are imported by nobody')
    if (
      source.file.startsWith('fakes/') &&
      source.file !== 'fakes/main.ts' &&
      targetFolder === 'lib' &&
      targetModule !== 'kit'
    )
      say('stand-ins know only the kit')
  }
  return wrong
}

test('knowledge flows down, and modules are entered through their door', () => {
  expect(readSources().flatMap(findWrongImports)).toEqual([])
})

test('every module of lib has its place in the table', () => {
  const modules = new Set(readSources().flatMap(({ file }) => moduleOf(file) ?? []))
  expect([...modules].filter((name) => !(name in MAY_KNOW))).toEqual([])
})

test('the table has no circle', () => {
  const visit = (name: string, path: string[]): void => {
    expect(path, `${[...path, name].join(' → ')}`).not.toContain(name)
    for (const below of MAY_KNOW[name] ?? []) visit(below, [...path, name])
  }
  for (const name of Object.keys(MAY_KNOW)) visit(name, [])
})

test('what the browser loads brings neither the database nor Node along', () => {
  const sources = readSources()
  const byFile = new Map(sources.map((source) => [source.file, source]))
  const roots = sources.filter(({ file, text }) => !isTest(file) && /^['"]use client['"]/m.test(text))
  const wrong: string[] = []
  const visit = (source: Source, trail: string[], seen: Set<string>): void => {
    if (seen.has(source.file)) return
    seen.add(source.file)
    // A server action is called from the browser, not loaded into it.
    if (/^['"]use server['"]/m.test(source.text)) return
    for (const specifier of importsOf({ ...source, text: withoutTypeImports(source.text) })) {
      const target = resolveImport(source.file, specifier)
      if (/^(node:|pg$|pino$|argon2$|@prisma\/)/.test(specifier) || /^lib\/(env|log|db)(\/|$)/.test(target ?? ''))
        wrong.push([...trail, source.file, specifier].join(' → '))
      const next = target === undefined ? undefined : byFile.get(fileOf(target) ?? '')
      if (next) visit(next, [...trail, source.file], seen)
    }
  }
  for (const root of roots) visit(root, [], new Set())
  expect(wrong).toEqual([])
})

/** Type imports are gone before a browser sees the code. */
function withoutTypeImports(text: string): string {
  return text.replace(/(?:^|\n)\s*(?:import|export)\s+type\s[^'"]*from\s+['"][^'"]+['"]/g, '\n')
}

test('this check bites', () => {
  const bites = (file: string, text: string) => findWrongImports({ file, text }).length
  expect(bites('lib/ledger/x.ts', "import { a } from '@/lib/orders'")).toBe(1)
  expect(bites('lib/suppliers/x.ts', "import { db } from '@/lib/db'")).toBe(1)
  expect(bites('lib/orders/x.ts', "import { a } from '@/lib/ledger/post-transfer'")).toBe(1)
  expect(bites('lib/orders/x.ts', "import { a } from '../ledger/post-transfer'")).toBe(1)
  expect(bites('lib/orders/x.ts', "import { redirect } from 'next/navigation'")).toBe(1)
  expect(bites('lib/orders/x.ts', "import {\n  a,\n  b,\n} from '@/worker/registry'")).toBe(1)
  expect(bites('lib/orders/x.ts', "const a = await import('@/lib/web')")).toBe(1)
  expect(bites('app/page.tsx', "import { a } from '@/lib/orders/place-order'")).toBe(1)
  expect(bites('app/page.tsx', "import { a } from '@/lib/orders'\nimport { b } from '@/lib/orders/schemas'")).toBe(0)
  expect(bites('lib/orders/x.ts', "// import { a } from '@/lib/web'\nimport { b } from './states'")).toBe(0)
})
