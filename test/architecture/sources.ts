import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { listFiles } from '../../scripts/files'

export const ROOT = path.resolve(import.meta.dirname, '../..')
const CODE_FOLDERS = [
  'app',
  'components',
  'e2e',
  'emails',
  'fakes',
  'i18n',
  'lib',
  'prisma',
  'scripts',
  'test',
  'worker',
  'gateway',
]
const ROOT_FILES = ['next.config.ts', 'playwright.config.ts', 'prisma.config.ts', 'proxy.ts', 'vitest.config.ts']

export type Source = { file: string; text: string }

/** Every TypeScript and plain module file that we wrote, with its path from the project folder. */
export function readSources(): Source[] {
  const isOurs = (file: string) => !/lib\/db\/generated$|node_modules$/.test(file)
  const found = listFiles(
    [...CODE_FOLDERS, ...ROOT_FILES].map((each) => path.join(ROOT, each)),
    isOurs,
  )
  return found
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file))
    .map((file) => ({ file: path.relative(ROOT, file), text: readFileSync(file, 'utf8') }))
}

export function isTest(file: string): boolean {
  return /\.test\.tsx?$|^test\/|^e2e\//.test(file)
}

/** The text without comments, so that words in them count for nothing. Good enough for code that is formatted. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
}

/** What a file imports, as it is written: packages, `node:…`, `@/…` and relative paths; type-only imports too. */
export function importsOf({ text }: Source): string[] {
  const found = withoutComments(text).matchAll(
    /(?:^|\n)\s*(?:import|export)\s[^'"`;]*?from\s+['"]([^'"]+)['"]|(?:^|\n)\s*import\s+['"]([^'"]+)['"]|\bimport\(\s*['"]([^'"]+)['"]\s*\)/g,
  )
  return [...found].map((match) => match[1] ?? match[2] ?? match[3] ?? '')
}

/** Our own file behind an import, from the project folder and without its ending; undefined for packages. */
export function resolveImport(from: string, specifier: string): string | undefined {
  if (specifier.startsWith('@/')) return path.normalize(specifier.slice(2))
  if (specifier.startsWith('.')) return path.normalize(path.join(path.dirname(from), specifier))
  return undefined
}

/** The file on disk behind a resolved import. */
export function fileOf(resolved: string): string | undefined {
  const endings = ['', '.ts', '.tsx', '.mjs', '.json', '/index.ts', '/index.tsx']
  return endings
    .map((ending) => resolved + ending)
    .find((file) => /\.\w+$/.test(file) && existsSync(path.join(ROOT, file)))
}
