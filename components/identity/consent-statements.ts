import { translator } from '@/i18n/translator'

/** The words beside the tick boxes as plain text: what is stored as proof is what was shown. */
export function consentStatements(locale: string): { terms: string; age: string } {
  const say = translator(locale, 'consents')
  const plain = (chunks: string) => chunks
  return { terms: say.markup('terms', { terms: plain, use: plain }), age: say('age') }
}
