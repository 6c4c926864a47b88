/**
 * What a supplier's "no" says, for staff: its message, or the fields it objects to. Short, and without the key, should the supplier repeat it.
 */
export function refusalWords(status: number, body: unknown, key: string): string {
  const words = [...sentencesOf(body, 0)].join('; ').replaceAll(key, '[key]').slice(0, 200)
  return words === '' ? `status ${status}` : `status ${status}: ${words}`
}

/** The texts in an answer, with the names of the fields they stand under; vendors nest them one or two deep. */
function* sentencesOf(value: unknown, depth: number): Generator<string> {
  if (typeof value === 'string') yield value
  else if (Array.isArray(value)) for (const each of value) yield* sentencesOf(each, depth + 1)
  else if (typeof value === 'object' && value !== null && depth < 4)
    for (const [name, inner] of Object.entries(value))
      for (const sentence of sentencesOf(inner, depth + 1))
        yield ['message', 'detail', 'error'].includes(name) ? sentence : `${name}: ${sentence}`
}
