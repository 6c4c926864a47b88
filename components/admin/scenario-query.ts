import { type Scenario, scenarioSchema } from '@/lib/prices/schemas'
import { basisPoints, readPriceLines } from './price-lines'

type Query = Record<string, string | string[] | undefined>

const one = (value: string | string[] | undefined) => (Array.isArray(value) ? value[0] : value)

/** "-5" or "7,5" per cent, with its sign. */
function signedBasisPoints(text: string | undefined): number {
  const trimmed = (text ?? '').trim().replace('−', '-')
  const points = basisPoints(trimmed.replace(/^[+-]/, ''))
  return points === null ? Number.NaN : trimmed.startsWith('-') ? -points : points
}

/**
 * What the simulator is asked for, from the address: null while nothing was asked, else the scenario or what is wrong with it (names of texts for fields).
 */
export function readScenario(query: Query): { scenario: Scenario } | { problems: string[] } | null {
  const by = one(query.by)
  if (!by) return null
  const parsed = scenarioSchema.safeParse({
    by,
    planId: one(query.plan),
    changeId: one(query.change),
    basisPoints: signedBasisPoints(one(query.percent)),
    prices: readPriceLines(query),
  })
  if (parsed.success) return { scenario: parsed.data }
  return { problems: [...new Set(parsed.error.issues.map((issue) => issue.message))] }
}

/** The address of the same question, for the file. */
export function scenarioQuery(query: Query): string {
  const params = new URLSearchParams()
  for (const [name, value] of Object.entries(query))
    for (const each of Array.isArray(value) ? value : value === undefined ? [] : [value]) params.append(name, each)
  return params.toString()
}
